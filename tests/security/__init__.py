"""Attacks that once worked, each on both databases where they can differ."""
