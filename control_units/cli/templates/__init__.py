"""Templates, their versions, and the units that use them."""
