"""Where webhooks may be sent to: addresses, not names, so that no name leads elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

PUBLIC, PRIVATE, LOOPBACK = "public", "private", "loopback"
WORDS = (PUBLIC, PRIVATE, LOOPBACK)
PRIVATE_NETWORKS = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
METADATA = tuple(map(ip_network, ("100.100.100.200/32", "fd00:ec2::254/128", "192.0.0.192/32")))
"""Addresses at which clouds hand out credentials, besides those that are link-local."""
TRANSLATED = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""They stand for another address."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Which addresses webhooks may be sent to.

    Attributes:
        words: of `WORDS`.
        networks: besides these; also where nothing else would be.
    """

    words: frozenset[str]
    networks: tuple[Network, ...] = ()

    def allow(self, text: str) -> bool:
        """Whether this address may be sent to."""
        address = plain_address(text)
        if address is None:
            return False
        if any(address in network for network in self.networks):
            return True
        word = word_of(address)
        return word is not None and word in self.words

    @classmethod
    def of(cls, text: str) -> Targets:
        """What a setting says: `public,private,10.1.0.0/16`.

        Raises:
            ValueError: naming the part that cannot be.
        """
        parts = [part.strip() for part in text.split(",") if part.strip()]
        words = frozenset(part for part in parts if part in WORDS)
        networks = []
        for part in parts:
            if part in words:
                continue
            try:
                networks.append(ip_network(part))
            except ValueError:
                expected = f"{', '.join(WORDS)} or networks like 10.1.0.0/16"
                raise ValueError(f"{part!r}; right would be {expected}") from None
        return cls(words, tuple(networks))


def plain_address(text: str) -> Address | None:
    """An address, without a scope, and as IPv4 where it is one in IPv6's clothes; None: it is
    none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def word_of(address: Address) -> str | None:
    """Which word stands for an address; None: none does, as for link-local ones."""
    if any(address in network for network in (*METADATA, *TRANSLATED)):
        return None
    if address.is_loopback:
        return LOOPBACK
    if any(address in network for network in PRIVATE_NETWORKS):
        return PRIVATE
    is_usual = address.is_global and not address.is_multicast and not address.is_reserved
    return PUBLIC if is_usual else None


def is_address(host: str) -> bool:
    return plain_address(host) is not None
