"""What there is: lists, single resources, and why they are so."""
