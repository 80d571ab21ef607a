"""What agents report, in rows."""
