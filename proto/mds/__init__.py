"""The contract: one Python package for each version of the protocol."""
