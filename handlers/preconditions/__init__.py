"""What must be there before an item is applied for, decided, or works begin: the edges of items.csv, each with its article."""
