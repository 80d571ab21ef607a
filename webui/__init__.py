"""The web pages: a client like any other."""
