"""Applying for a single item beside the main line: 并行推进 (S5), each a flow of its own (domain §2.2, fact 5)."""
