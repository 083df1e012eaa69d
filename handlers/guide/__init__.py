"""一次性告知: what a project will have to do and hand in, told once before it applies."""
