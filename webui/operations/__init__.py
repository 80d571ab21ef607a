"""Orders to control units: the plan before anything is done."""
