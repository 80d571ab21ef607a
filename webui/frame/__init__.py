"""What stands around every page: theme, moment, keys, the palette."""
