"""Where servers are, as people write it.

    HOST[:PORT]                          one server, or a balancer before several
    dns:NAME[:PORT]                      a server at each A and AAAA record of a name
    srv:NAME                             what the SRV records at _mds._tcp.NAME say
    zeroconf:[FACILITY]                  what is announced on this network, of one facility

Several are written with commas between them. `dns://SERVER[:PORT]/…` and `srv://SERVER[:PORT]/…`
ask that name server instead of the machine's own; `zeroconf://ADDRESS/…` listens on the network
of that address of this machine, and on no other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7400
DEFAULT_HTTP_PORT = 7401
DEFAULT_ADDRESS = f"{DEFAULT_HOST}:{DEFAULT_PORT}"
ADDRESS_VARIABLE = "MDS_ADDRESS"
SERVICE = "_mds._tcp"
FORMS = "HOST[:PORT], dns:NAME[:PORT], srv:NAME or zeroconf:[FACILITY]"
DNS, SRV, ZEROCONF = "dns", "srv", "zeroconf"
_SCHEMES = (DNS, SRV, ZEROCONF)
_DNS_PORT = 53
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?(.*)")


class BadAddress(ValueError):
    """What was written names no server."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place to look for servers at.

    Attributes:
        scheme: `dns`, `srv`, `zeroconf`; empty: it is the address of one server.
        name: host, name in the DNS, or facility (empty: whichever there is).
        port: of the servers; 0: it is found with them.
        via: the name server to ask, `host:port`, or the address of the interface to listen on;
            empty: the machine's own, and all.
    """

    scheme: str
    name: str
    port: int = 0
    via: str = ""

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        if not self.scheme:
            return f"{self.name}{port}"
        return f"{self.scheme}:{f'//{self.via}/' if self.via else ''}{self.name}{port}"


def parse_addresses(written: str | Sequence[str]) -> tuple[Address, ...]:
    """Where to look, in the order written, each once.

    A missing port is 7400; an IPv6 address stands in brackets (`[::1]:7400`).

    Raises:
        BadAddress: it names no server, or one has no host or no usable port, or another scheme.
    """
    parts = written.split(",") if isinstance(written, str) else written
    addresses = tuple(dict.fromkeys(_parse(part.strip()) for part in parts if part.strip()))
    if not addresses:
        raise BadAddress(
            f"{ADDRESS_VARIABLE} is {written!r}, which names no server; "
            f"it should be like {DEFAULT_ADDRESS!r} or 'a:{DEFAULT_PORT},b:{DEFAULT_PORT}', or "
            "like 'srv:example.org' or 'zeroconf:'."
        )
    return addresses


def _parse(text: str) -> Address:
    found = _SCHEME.fullmatch(text)
    if found is None or (not found[2] and (found[1] not in _SCHEMES or found[3].isdecimal())):
        return Address("", *_host_and_port(text, text, DEFAULT_PORT))
    scheme, has_via, rest = found[1], found[2], found[3]
    if scheme not in _SCHEMES:
        raise BadAddress(
            f"{text!r} ({ADDRESS_VARIABLE}) has the scheme {scheme!r}, which is none; it should "
            f"be {FORMS}."
        )
    via, _, name = rest.partition("/") if has_via else ("", "", rest)
    return {DNS: _dns, SRV: _srv, ZEROCONF: _zeroconf}[scheme](text, via, name)


def _dns(text: str, via: str, name: str) -> Address:
    if name.startswith("_"):
        raise _bad(text, f"names SRV records; it should be 'srv:{name}'")
    host, port = _host_and_port(text, name, DEFAULT_PORT)
    return Address(DNS, host, port, _name_server(text, via))


def _srv(text: str, via: str, name: str) -> Address:
    if not name or ":" in name or "/" in name:
        raise _bad(
            text,
            "should be srv:NAME, like 'srv:example.org', without a port: the SRV records at "
            f"{SERVICE}.NAME say it",
        )
    return Address(
        SRV, name if name.startswith("_") else f"{SERVICE}.{name}", 0, _name_server(text, via)
    )


def _zeroconf(text: str, via: str, name: str) -> Address:
    if ":" in name or "/" in name:
        raise _bad(text, "should be 'zeroconf:' or 'zeroconf:FACILITY'")
    try:
        interface = str(ip_address(via)) if via else ""
    except ValueError:
        raise _bad(
            text,
            f"should have an IPv4 address of this machine for {via!r}, as in "
            "'zeroconf://127.0.0.1/'",
        ) from None
    return Address(ZEROCONF, name, 0, interface)


def _name_server(text: str, via: str) -> str:
    if not via:
        return ""
    host, port = _host_and_port(text, via, _DNS_PORT)
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        raise _bad(text, f"should have the address of a name server for {via!r}") from None
    return f"{host}:{port}"


def _host_and_port(text: str, named: str, default: int) -> tuple[str, int]:
    if named.endswith("]") or ":" not in named:
        host, port = named, str(default)
    else:
        host, _, port = named.rpartition(":")
    ambiguous = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not host or ambiguous or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadAddress(
            f"{text!r} is no address of a server; it should be {FORMS}, with a port from 1 to "
            f"65535, like {DEFAULT_ADDRESS!r}, '[::1]:{DEFAULT_PORT}' or 'srv:example.org'."
        )
    return host, int(port)


def _bad(text: str, what: str) -> BadAddress:
    return BadAddress(f"{text!r} ({ADDRESS_VARIABLE}) {what}.")
