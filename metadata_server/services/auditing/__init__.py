"""What is wrong with a facility."""
