"""Backups of the whole store: made while it is used, and restored into another database."""
