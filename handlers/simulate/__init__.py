"""Whole projects driven without a browser, with reproducible decisions."""
