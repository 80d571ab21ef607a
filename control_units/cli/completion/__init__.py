"""What a shell offers when people press Tab."""
