"""A project at a glance: the rail of stages, what runs in parallel and who has it, where it is stuck, which outside events it awaits."""
