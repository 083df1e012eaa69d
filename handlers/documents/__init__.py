"""Documents (文书) and permits: numbers without gaps, titles, facts."""
