"""The rule of ids, checked before a server is asked."""

import re

MAXIMUM_BYTES = 255
_SEGMENT = re.compile(r"[A-Za-z0-9_.:+-]+\Z")


def fault_of(id: str) -> str | None:
    """What would be right instead of this id; None: nothing is wrong with it."""
    if not id:
        return "an id that is not empty"
    if len(id.encode()) > MAXIMUM_BYTES:
        return f"an id of at most {MAXIMUM_BYTES} bytes, not {len(id.encode())}"
    for segment in id.split("/"):
        if segment in {"", ".", ".."}:
            return "an id whose parts between slashes are not empty, '.' or '..'"
        if not _SEGMENT.match(segment):
            return "an id of letters, digits and _ . : + - between slashes"
    return None
