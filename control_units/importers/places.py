"""Where something stands in a file, in one notation for all readers: `us[3].cu_desc[17]`,
`us.SIMPS_0.us_desc.cu_desc[0]`, `eu["DAFNE/ALARM/HUNTERDOG"].ndk_uid`."""

import json
import re

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def member(place: str, key: str) -> str:
    """The place of a member of the object at `place`; an empty place is the file itself."""
    if not _PLAIN.match(key):
        return f"{place}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{place}.{key}" if place else key


def element(place: str, index: int) -> str:
    """The place of an element of the list at `place`, counted from 0."""
    return f"{place}[{index}]"
