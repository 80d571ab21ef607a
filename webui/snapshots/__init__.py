"""Snapshots: set-points saved under names; taken, compared, and restored value by value."""
