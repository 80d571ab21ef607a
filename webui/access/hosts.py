"""By which names the page may be called: while nobody is asked who they are, by its own only.

A web page may have its own name lead here (DNS rebinding). A browser takes our pages for that page's
own then, and what it sends has the same `Host` and `Origin`: `webui.origins` does not see it. The
server has the same rule for its HTTP port.
"""

import re
from ipaddress import ip_address

_HOST = re.compile(r"\[(?P<v6>[^\[\]]*)\](?::\d{0,5})?|(?P<name>[^:@\[\]]*)(?::\d{0,5})?")
_NAME = re.compile(r"[\w.-]+")


def host_names(text: str) -> frozenset[str]:
    """Of `mds.example.org,control-room`.

    Raises:
        ValueError: one is none.
    """
    names = [each.strip() for each in text.split(",") if each.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(repr(name))
    return frozenset(map(_plain, names))


def own_names(*names: str) -> frozenset[str]:
    """As `is_ours` wants them; what is no name, like the address to listen at, harms nothing."""
    return frozenset(map(_plain, names))


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Whether what a browser calls us by, with a port or without, is a name of ours.

    Nobody can have `localhost` or an address lead elsewhere; who names no host is no browser.

    Args:
        names: ours besides these, as `host_names` gives them.
    """
    if not host:
        return True
    read = _HOST.fullmatch(host.strip())
    if read is None:
        return False
    if (v6 := read["v6"]) is not None:
        return ":" in v6 and _is_address(v6)
    name = _plain(read["name"])
    return name in {"localhost", *names} or name.endswith(".localhost") or _is_address(name)


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
