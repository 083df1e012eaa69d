"""效能: how long projects take and how often people had to come, for the whole city (R005, R006, R068)."""
