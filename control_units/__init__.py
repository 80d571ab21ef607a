"""What an author of control units imports."""
