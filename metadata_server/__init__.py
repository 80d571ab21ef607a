"""The metadata server: wire, use cases, store and rules, a floor each."""
