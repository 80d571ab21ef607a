"""What runs, and when it counts as lost."""
