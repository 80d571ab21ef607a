"""Tokens, in rows."""
