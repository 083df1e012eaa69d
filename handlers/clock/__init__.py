"""The statutory clock of a case: a pure function of its events (domain specification §3)."""
