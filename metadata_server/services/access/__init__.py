"""Who calls: tokens, and whether a call may be made."""
