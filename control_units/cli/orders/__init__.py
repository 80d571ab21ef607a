"""`mds start`, `stop` … and what they share: which units, how, and what it would do."""
