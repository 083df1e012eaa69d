"""Commands that need no installation: expressions, decisions, due dates."""
