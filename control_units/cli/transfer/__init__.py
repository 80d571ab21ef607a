"""Facilities from files and into files."""
