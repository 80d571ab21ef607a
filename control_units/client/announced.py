"""Servers that announce themselves on the network (multicast DNS, DNS-SD)."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address, ip_interface

import psutil
from zeroconf import InterfaceChoice, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from control_units.client.addresses import ADDRESS_VARIABLE, SERVICE, Address
from control_units.client.directory import NothingFound
from control_units.client.rotation import Server

TYPE = f"{SERVICE}.local."
FIRST_S = 2.0
"""So long the first one may take; a network answers within 0.2 s, a busy machine later."""
QUIET_S = 0.4
"""When nobody has been heard for so long, all have."""
DETAILS_MS = 1_500.0


class Announced:
    """Listens from its first look on: who comes or says that it ends is known at once.

    Args:
        on_change: called when somebody is heard for the first time, or says good-bye.
    """

    def __init__(self, address: Address, on_change: Callable[[], None]) -> None:
        self._address = address
        self._on_change = on_change
        self._names: set[str] = set()
        self._heard = asyncio.Event()
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None

    async def find(self) -> Sequence[Server]:
        """Those of the one facility that is meant.

        Raises:
            NothingFound: there is none, or there are several facilities.
        """
        return of_one_facility(await self.all(), self._address)

    async def all(self) -> list[Server]:
        """Whoever announces itself, sorted by address.

        Raises:
            NothingFound: nobody can be heard here.
        """
        if self._zeroconf is None:
            self._zeroconf = self._listen()
            await self._until_quiet()
        elif not self._address.via:
            await self._zeroconf.async_update_interfaces()
        zeroconf = self._zeroconf.zeroconf
        infos = [AsyncServiceInfo(TYPE, name) for name in sorted(self._names)]
        known = await asyncio.gather(*(each.async_request(zeroconf, DETAILS_MS) for each in infos))
        servers = [server_of(info) for info, is_known in zip(infos, known, strict=True) if is_known]
        return sorted(filter(None, servers), key=lambda each: each.address)

    async def close(self) -> None:
        if self._browser is not None:
            await self._browser.async_cancel()
        if self._zeroconf is not None:
            await self._zeroconf.async_close()

    def _listen(self) -> AsyncZeroconf:
        via = self._address.via
        try:
            zeroconf = AsyncZeroconf(interfaces=[via] if via else InterfaceChoice.All)
        except (OSError, RuntimeError) as error:
            raise NothingFound(
                f"Nobody can be heard {place(via)}: {error}. Name servers in {ADDRESS_VARIABLE}."
            ) from None
        self._browser = AsyncServiceBrowser(zeroconf.zeroconf, TYPE, handlers=[self._hear])
        return zeroconf

    # The names of arguments are zeroconf's: it gives them by keyword.
    def _hear(
        self,
        zeroconf: Zeroconf,  # noqa: ARG002
        service_type: str,  # noqa: ARG002
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            self._names.discard(name)
        else:
            self._names.add(name)
        self._heard.set()
        self._on_change()

    async def _until_quiet(self) -> None:
        wait_s = FIRST_S
        try:
            while True:
                async with asyncio.timeout(wait_s):
                    await self._heard.wait()
                self._heard.clear()
                wait_s = QUIET_S
        except TimeoutError:
            return


def of_one_facility(servers: Sequence[Server], address: Address) -> Sequence[Server]:
    """Those that a client may ask one for the other.

    Raises:
        NothingFound: there is none, or it is not clear which facility is meant.
    """
    meant = [each for each in servers if is_of(each, address.name)]
    if not meant:
        raise NothingFound(nobody(address, servers))
    plain = [each for each in meant if not each.is_tls]
    if not plain:
        raise NothingFound(
            f"{', '.join(each.address for each in meant)} speak TLS, which this client does not."
        )
    if len({each.store for each in plain}) > 1:
        raise NothingFound(
            f"Servers of several facilities are announced {place(address.via)}: "
            f"{facilities(plain)}. Right would be {ADDRESS_VARIABLE}=zeroconf:FACILITY, with its "
            "name or the beginning of its id."
        )
    return plain


def nobody(address: Address, others: Sequence[Server]) -> str:
    """That nobody is announced, and what to do."""
    where = place(address.via)
    if others:
        return (
            f"No server of a facility {address.name!r} ({ADDRESS_VARIABLE}) is announced {where}; "
            f"there are servers of {facilities(others)}."
        )
    return f"No server is announced {where}. Servers announce themselves with MDS_ANNOUNCE=1."


def facilities(servers: Iterable[Server]) -> str:
    told = {
        each.store: f"{each.facility or 'one without a name'} ({each.store[:8]})"
        for each in servers
    }
    return ", ".join(sorted(told.values()))


def is_of(server: Server, facility: str) -> bool:
    """Whether a server is one of a facility: its name, in any case, or the beginning of its id."""
    is_called_so = server.facility.casefold() == facility.casefold()
    return is_called_so or server.store.startswith(facility)


def place(via: str) -> str:
    return f"on the network of {via}" if via else "on this network"


def server_of(info: AsyncServiceInfo) -> Server | None:
    """What an announcement says; None: too little."""
    told = {key: value or "" for key, value in info.decoded_properties.items()}
    addresses = info.parsed_addresses()
    if not addresses or not info.port:
        return None
    host = nearest(addresses)
    port = told.get("http", "")
    return Server(
        address=f"{f'[{host}]' if ':' in host else host}:{info.port}",
        priority=info.priority,
        weight=info.weight or 1,
        http_port=int(port) if port.isdecimal() else 0,
        replica=told.get("replica", ""),
        facility=told.get("facility", ""),
        store=told.get("store", ""),
        version=told.get("version", ""),
        is_tls=told.get("tls", "no") != "no",
    )


def nearest(addresses: Sequence[str]) -> str:
    """The one that is in a network of this machine's; a host may have others that lead nowhere
    from here."""
    networks = [
        ip_interface(f"{each.address}/{each.netmask}").network
        for interface in psutil.net_if_addrs().values()
        for each in interface
        if each.family == socket.AF_INET and each.netmask
    ]
    near = (each for each in addresses if any(ip_address(each) in one for one in networks))
    return next(near, addresses[0])
