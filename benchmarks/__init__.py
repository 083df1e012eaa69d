"""Ratio benchmarks: both sides of every figure are measured in one run, medians; never wall-clock limits in tests."""
