"""`mds top`: the whole facility on one screen, live."""
