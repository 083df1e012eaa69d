"""After the decision: what was granted, how long it holds, how it is changed, renewed, revoked and cancelled."""
