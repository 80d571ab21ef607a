"""Servers whose addresses stand in the DNS."""

import asyncio
import socket
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.rdtypes.IN.SRV
import dns.resolver

from control_units.client.addresses import ADDRESS_VARIABLE, SRV, Address
from control_units.client.directory import NothingFound, Source
from control_units.client.rotation import Server

LIFETIME_S = 3.0


def source_of_name(address: Address) -> Source:
    return Service(address) if address.scheme == SRV else Name(address)


class Name:
    """A server at each address of a name."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def find(self) -> Sequence[Server]:
        host, port = self._address.name, self._address.port
        found = await hosts_of(host, self._address.via) if self._address.via else await known(host)
        return [Server(address=f"{bracketed(each)}:{port}") for each in found]

    async def close(self) -> None:
        return


class Service:
    """A server at each SRV record of a name (RFC 2782)."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def find(self) -> Sequence[Server]:
        name, via = self._address.name, self._address.via
        servers = []
        for record in await records(name, "SRV", via):
            assert isinstance(record, dns.rdtypes.IN.SRV.SRV)
            host = record.target.to_text(omit_final_dot=True)
            if host in ("", "."):
                continue  # that is how a name says that it has no such service
            # The machine's own resolver finds the addresses later; of another one's names it
            # knows nothing.
            hosts = (await hosts_of(host, via))[:1] if via else [host]
            servers += [
                Server(
                    address=f"{bracketed(each)}:{record.port}",
                    priority=record.priority,
                    weight=record.weight,
                )
                for each in hosts
            ]
        if not servers:
            raise no_records(name, "its SRV records say that there is no server")
        return servers

    async def close(self) -> None:
        return


async def known(host: str) -> list[str]:
    """The addresses of a name, as all programs of this machine know them.

    Raises:
        NothingFound: it has none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise no_addresses(host, getattr(error, "strerror", None) or str(error)) from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def hosts_of(host: str, via: str) -> list[str]:
    """The addresses of a name, as one name server knows them.

    Raises:
        NothingFound: it has none.
    """
    both = await asyncio.gather(
        *(records(host, kind, via) for kind in ("A", "AAAA")), return_exceptions=True
    )
    found = [
        each.to_text() for part in both if not isinstance(part, BaseException) for each in part
    ]
    if not found and isinstance(both[0], BaseException):
        raise both[0]
    return found


async def records(name: str, kind: str, via: str) -> list[dns.rdata.Rdata]:
    """The records of one kind at a name.

    Raises:
        NothingFound: there is none, or no name server answers.
    """
    try:
        resolver = dns.asyncresolver.Resolver(configure=not via)
        if via:
            host, _, port = via.rpartition(":")
            resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
        answer = await resolver.resolve(name, kind, lifetime=LIFETIME_S, search=not via)
    except dns.resolver.NXDOMAIN:
        why = "there is no such name"
    except dns.resolver.NoAnswer:
        why = "the name is there, with records of other kinds"
    except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers, OSError):
        why = f"no name server answers{f' at {via}' if via else ''}"
    except dns.exception.DNSException as error:
        why = str(error)
    else:
        return list(answer)
    raise (no_records if kind == "SRV" else no_addresses)(name, why)


def no_records(name: str, why: str) -> NothingFound:
    return NothingFound(
        f"The DNS has no SRV record at {name} ({ADDRESS_VARIABLE}): {why}. Right would be one for "
        f"each server, like '{name}. 300 IN SRV 0 10 7400 mds-1.example.org.'"
    )


def no_addresses(host: str, why: str) -> NothingFound:
    return NothingFound(
        f"{host} ({ADDRESS_VARIABLE}) does not resolve: {why}. Right would be a name with an A or "
        "AAAA record for each server."
    )


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
