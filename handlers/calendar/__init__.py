"""The notices of days off that an administrator imports, and the working calendar that follows from them (domain §3.4)."""
