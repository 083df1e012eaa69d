"""Who there is: units, people, their roles, log-in."""
