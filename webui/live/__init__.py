"""What browsers are told while they look: the picture, its changes, the pulse."""
