"""What runs, in rows."""
