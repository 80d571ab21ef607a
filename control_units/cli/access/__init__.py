"""Tokens, and who one is."""
