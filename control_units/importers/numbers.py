"""Numbers as people write them."""

import re
from decimal import Decimal

_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+\Z")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?\Z", re.ASCII)


def number_of(text: str) -> Decimal | None:
    """The number that a text stands for (`0x5A`, `.5`, `1.5E-3`), exactly; None: it is none."""
    text = text.strip()
    if _HEXADECIMAL.match(text):
        return Decimal(int(text, 16))
    return Decimal(text) if _DECIMAL.match(text) else None
