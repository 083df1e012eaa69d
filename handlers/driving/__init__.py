"""Taking projects through their flows as people would, by the real commands: what the demo and the simulation share."""
