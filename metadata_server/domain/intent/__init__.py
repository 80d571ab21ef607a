"""What people declare, and what follows from it."""
