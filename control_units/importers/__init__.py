"""Foreign and own files, read into bundles."""
