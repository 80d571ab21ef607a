"""Programs that host control units, and the agents that launch them."""
