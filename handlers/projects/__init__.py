"""Projects: registration, access, milestones, the board of stages and parallel lanes, outside events."""
