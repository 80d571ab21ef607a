"""Names of files that belong to ids."""

import hashlib
from urllib.parse import quote

LONGEST_FILE_NAME = 200
"""File systems take names of 255 bytes; an ending has its place after it."""


def file_name(id: str) -> str:
    """A file name for an id, which may have slashes and colons; no two ids share one."""
    name = quote(id, safe="")
    if len(name) > LONGEST_FILE_NAME:
        name = f"{name[:LONGEST_FILE_NAME]}-{hashlib.sha256(id.encode()).hexdigest()[:12]}"
    return name
