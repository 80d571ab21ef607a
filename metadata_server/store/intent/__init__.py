"""What people declare, in rows."""
