"""The overview page: what is wrong first, then everything."""
