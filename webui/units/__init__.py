"""The pages about unit servers and control units."""
