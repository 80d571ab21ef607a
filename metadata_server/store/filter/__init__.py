"""Filters as SQL: bound parameters only, and the same meaning in every database."""
