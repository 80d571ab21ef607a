"""Where calls come from, past the proxies that are believed."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote

from metadata_server.domain.networks import Network

FORWARDED_FOR = "x-forwarded-for"
LONGEST_ADDRESS = 64
SCHEMES = ("ipv4:", "ipv6:")
"""Of gRPC's names of peers; aiohttp's are bare addresses."""


class Peers:
    """Tells clients' addresses.

    Args:
        proxies: what these say of whom they call for (`X-Forwarded-For`) is believed.
    """

    def __init__(self, proxies: tuple[Network, ...] = ()) -> None:
        self._proxies = proxies
        self._is_proxy = lru_cache(maxsize=4_096)(self._looked_up)

    def address_of(self, peer: str, forwarded: str) -> str:
        """Of whoever calls, as far as it can be believed: the first from behind that is no
        proxy.

        Args:
            peer: the other end of the connection.
            forwarded: what it says of the way that a call has come, the nearest last.
        """
        address = bare(peer)
        if self._proxies:
            said = forwarded.split(",")
            while said and self._is_proxy(address) and (before := said.pop().strip()):
                address = before
        return address[:LONGEST_ADDRESS]

    def _looked_up(self, address: str) -> bool:
        try:
            read = ip_address(address)
        except ValueError:
            return False
        return any(read in network for network in self._proxies)


def bare(peer: str) -> str:
    """The address in `ipv4:10.0.0.7:51234`, `ipv6:%5B::1%5D:51234` or `10.0.0.7`."""
    if not peer.startswith(SCHEMES):
        return peer
    return unquote(peer[5:].rpartition(":")[0]).strip("[]")
