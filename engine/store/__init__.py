"""The engine's tables and SQL. Nothing outside this package writes SQL against them."""
