"""How the tables came to be, step by step; each step suits the release before and after."""
