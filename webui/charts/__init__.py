"""Charts of the whole facility over time."""
