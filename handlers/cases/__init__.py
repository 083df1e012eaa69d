"""Cases (办件): one application for one item, its number, status and append-only history."""
