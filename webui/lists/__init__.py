"""Every list of the pages: one machine, and a few lines for each kind of thing."""
