"""Operations, and what restrains them, in rows."""
