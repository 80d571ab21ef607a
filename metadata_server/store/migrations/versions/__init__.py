"""One module a step, numbered in their order."""
