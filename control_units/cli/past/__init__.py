"""What was: changes, differences, lives, and what is odd about what came of it."""
