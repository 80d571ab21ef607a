"""Live values, in rows."""
