"""What units are declared to use: read with its origin, edited, compared, taken back."""
