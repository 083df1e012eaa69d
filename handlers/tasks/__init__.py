"""Work lists and the task screen, read from the engine."""
