"""Texts of authors and devices, as messages take them."""


def sendable(text: str) -> str:
    """The text with `?` for each half of a surrogate pair, which UTF-8 does not have. JSON of
    devices, file names and `surrogateescape` bring them."""
    return text.encode("utf-8", "replace").decode()
