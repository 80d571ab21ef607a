"""Operations, their order, and what restrains them."""
