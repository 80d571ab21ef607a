"""SQL: the only floor that knows the database. Rows never leave it."""
