"""Networks, as people write them."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Of `10.0.0.5,10.1.0.0/16`.

    Raises:
        ValueError: one is none.
    """
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
