"""What holds for many units at once: maintenance, modes, guards, lists, campaigns."""
