"""Live values and snapshots."""
