"""How browsers come here: at which address, past which proxies."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web

from webui.access.hosts import is_ours

Network = IPv4Network | IPv6Network

_PORT = re.compile(r":(\d{1,5})$")


@dataclass(frozen=True, slots=True)
class Entrance:
    """
    Attributes:
        is_public: others than this machine can reach it.
        is_insecure: somebody wants that nobody is asked who they are even so (MDS_INSECURE).
        names: by which we may be called while nobody is asked who they are, besides `localhost`
            and addresses.
        proxies: what these say of a browser's address and of https is believed.
    """

    is_public: bool = False
    is_insecure: bool = False
    names: frozenset[str] = frozenset()
    proxies: tuple[Network, ...] = ()

    @property
    def must_ask(self) -> bool:
        """Nobody may come in without having been asked who they are."""
        return self.is_public and not self.is_insecure

    def is_called_by_name(self, request: web.Request) -> bool:
        """Whether the browser means us: a page may have its own name lead here."""
        return is_ours(request.headers.get("Host", ""), self.names)

    def is_https(self, request: web.Request) -> bool:
        """Whether the browser's way to us, or to a proxy that we know, is encrypted."""
        if request.secure:
            return True
        said = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2]
        return said.strip().lower() == "https" and self._is_proxy(request.remote or "")

    def address_of(self, request: web.Request) -> str:
        """Of the browser, as far as it can be believed: the first from behind that is no proxy."""
        address = request.remote or ""
        said = request.headers.get("X-Forwarded-For", "").split(",")
        while said and self._is_proxy(address) and (before := said.pop().strip()):
            address = before
        return address[:64]

    def _is_proxy(self, address: str) -> bool:
        try:
            read = ip_address(address)
        except ValueError:
            return False
        return any(read in network for network in self.proxies)


def networks(text: str) -> tuple[Network, ...]:
    """Of `10.0.0.5,10.1.0.0/16`.

    Raises:
        ValueError: one is none.
    """
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def asked_port(request: web.Request) -> str:
    """The port that the browser believes to speak to; empty: the usual one."""
    found = _PORT.search(request.headers.get("Host", ""))
    return found[1] if found else ""
