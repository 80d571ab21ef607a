"""Version 1 of the contract; each module is generated from the `.proto` beside it."""
