"""What was, in rows."""
