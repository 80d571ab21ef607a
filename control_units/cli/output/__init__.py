"""How commands write what they know, for people and for programs."""
