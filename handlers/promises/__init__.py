"""Promises of applicants, 容缺受理 and 告知承诺 (domain §2.9): signed, kept, extended once, broken with a credit record."""
