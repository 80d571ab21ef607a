"""REST, derived from the descriptors of the protocol: there is no second list of routes."""
