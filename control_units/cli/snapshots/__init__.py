"""Snapshots and live values."""
