"""The demonstration: units, people and projects brought to their states by real commands."""
