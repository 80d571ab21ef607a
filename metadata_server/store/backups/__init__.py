"""Backups: what is read of a database, and what it is loaded into."""
