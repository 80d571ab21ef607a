"""Operations: planned, begun, advanced, steered."""
