"""By which names this port may be called: while nobody is asked who they are, by its own only.

A web page may have its own name lead here (DNS rebinding). A browser takes what is answered for that
page's, and what the page sends has the same `Host` and `Origin`: no rule about origins sees it.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

import structlog
from aiohttp import web

from metadata_server.domain.refused import Refused

HOST = re.compile(r"\[(?P<v6>[^\[\]]*)\](?::\d{0,5})?|(?P<name>[^:@\[\]]*)(?::\d{0,5})?")
ANYBODYS = frozenset({"/healthz/live", "/healthz/ready", "/metrics"})
"""Whoever watches over replicas calls them by names of their own, and learns numbers only."""
log = structlog.get_logger()


class Hosts:
    """Our names.

    Args:
        names: besides `localhost` and addresses, which nobody can have lead elsewhere; `*`: any.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._names = frozenset(map(plain, names))

    def takes(self, host: str) -> bool:
        """Whether it is ours, with a port or without."""
        read = HOST.fullmatch(host.strip())
        if read is None:
            return False
        if (v6 := read["v6"]) is not None:
            return ":" in v6 and is_address(v6)
        name = plain(read["name"])
        is_here = name == "localhost" or name.endswith(".localhost")
        return is_here or is_address(name) or bool(self._names & {name, "*"})

    def check(self, request: web.Request) -> None:
        """
        Raises:
            Refused: HOST_NOT_ALLOWED.
        """
        host = request.headers.get("Host", "")
        # Who names none is no browser.
        if not host or request.path in ANYBODYS or self.takes(host):
            return
        log.warning("other_host_refused", host=host[:100], path=request.path[:200])
        raise not_allowed(host[:100])


def plain(name: str) -> str:
    return name.lower().removesuffix(".")


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def not_allowed(host: str) -> Refused:
    return Refused.invalid(
        "HOST_NOT_ALLOWED",
        f"This server does not know itself as {host!r}, and asks nobody who they are: a web page may "
        "have called it by a name of its own. Call it by its address; its operator may name hosts in "
        "MDS_HTTP_HOSTS, or set MDS_AUTHENTICATION=token.",
        host=host,
    )
