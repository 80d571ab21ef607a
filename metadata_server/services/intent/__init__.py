"""What people declare: read, checked, changed."""
