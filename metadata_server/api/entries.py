"""Entries of a repeated field as bytes, which are joined and need not be read again."""

from __future__ import annotations

LENGTH_DELIMITED = 2


def tag_of(number: int) -> bytes:
    """Of a field of messages with a number up to 15."""
    return bytes([number << 3 | LENGTH_DELIMITED])


def entry_of(tag: bytes, message: bytes) -> bytes:
    """A message as one entry of a field: tag, length, content."""
    length, digits = len(message), bytearray()
    while length > 0x7F:
        digits.append(length & 0x7F | 0x80)
        length >>= 7
    digits.append(length)
    return tag + digits + message
