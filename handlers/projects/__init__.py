"""Projects: registration, access, lists, milestones."""
