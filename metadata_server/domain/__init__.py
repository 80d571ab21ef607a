"""The rules of the field: frozen dataclasses and functions, standard library only."""
