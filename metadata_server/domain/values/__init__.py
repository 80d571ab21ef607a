"""Set-points, snapshots, and when two values are the same."""
