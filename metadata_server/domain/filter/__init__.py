"""The filter language: which of the things in a list somebody wants to see."""
