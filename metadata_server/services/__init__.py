"""Use cases: one public method, one call, one transaction."""
