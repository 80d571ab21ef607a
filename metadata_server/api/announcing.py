"""Tells the network that this replica is there (multicast DNS, DNS-SD)."""

from __future__ import annotations

import asyncio
import socket
import uuid
from ipaddress import ip_address

import psutil
import structlog
from zeroconf import Error as ZeroconfError
from zeroconf import InterfaceChoice
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from metadata_server.services.watching.tailer import Tailer
from metadata_server.settings import Settings
from metadata_server.version import version

TYPE = "_mds._tcp.local."
LOOK_S = 30.0
"""Between two looks at which addresses this machine has."""
POLL_S = 0.2
LONGEST_LABEL_BYTES = 63
LONGEST_VALUE_BYTES = 200
LOOPBACK = "127.0.0.1"
log = structlog.get_logger()


class Announcing:
    """Announces a replica from when it knows its store until it drains, and then says good-bye.

    What listens on loopback only is announced there and nowhere else.
    """

    def __init__(self, settings: Settings, tailer: Tailer) -> None:
        self._settings = settings
        self._tailer = tailer
        self._ports = (0, 0)
        # Not the machine's own name: another program may answer for that one.
        self._host = f"mds-{uuid.uuid4().hex[:12]}.local."

    async def run(self, grpc_port: int, http_port: int) -> None:
        """Returns when the replica drains. Where nothing can be announced at first it says so and
        returns: the replica serves those who know where it is."""
        self._ports = (grpc_port, http_port)
        while self._tailer.position is None:
            if self._tailer.draining.is_set():
                return
            await asyncio.sleep(POLL_S)  # the database has not answered yet
        try:
            zeroconf = AsyncZeroconf(interfaces=interfaces_of(self._settings.host))
        except (OSError, RuntimeError) as error:
            self._complain(error)
            return
        try:
            await self._announce(zeroconf)
        except (ZeroconfError, OSError) as error:
            self._complain(error)
        finally:
            await zeroconf.async_close()  # says good-bye for whatever is still announced
            log.info("announcement_withdrawn", replica=self._settings.replica)

    async def _announce(self, zeroconf: AsyncZeroconf) -> None:
        info = self._info()
        await zeroconf.async_register_service(info, allow_name_change=True)
        log.info("announced", name=info.name, addresses=info.parsed_addresses(), port=info.port)
        fails = False
        while not await self._drains():
            try:
                info = await self._told_anew(zeroconf, info)
                fails = False
            except (ZeroconfError, OSError) as error:  # a network that comes up, a name server away
                if not fails:
                    log.warning("announced_as_before", problem=str(error) or type(error).__name__)
                fails = True

    async def _told_anew(self, zeroconf: AsyncZeroconf, info: AsyncServiceInfo) -> AsyncServiceInfo:
        """What is announced now, which was `info`."""
        if is_everywhere(self._settings.host):
            await zeroconf.async_update_interfaces()
        changed = self._info(name=info.name)
        if (changed.addresses, changed.text) == (info.addresses, info.text):
            return info
        await zeroconf.async_update_service(changed)
        log.info("announced", name=changed.name, addresses=changed.parsed_addresses())
        return changed

    async def _drains(self) -> bool:
        try:
            async with asyncio.timeout(LOOK_S):
                return await self._tailer.draining.wait()
        except TimeoutError:
            return False

    def _info(self, name: str = "") -> AsyncServiceInfo:
        settings, position = self._settings, self._tailer.position
        assert position is not None
        label = shortened(settings.replica, LONGEST_LABEL_BYTES)
        return AsyncServiceInfo(
            TYPE,
            name or f"{label}.{TYPE}",
            port=self._ports[0],
            server=self._host,
            parsed_addresses=addresses_of(settings.host),
            properties={
                "version": version(),
                "tls": "no",
                "replica": shortened(settings.replica, LONGEST_VALUE_BYTES),
                "http": str(self._ports[1]),
                "facility": settings.facility,
                "store": position.store_id,
            },
        )

    def _complain(self, error: Exception) -> None:
        log.warning(
            "not_announced",
            problem=str(error) or type(error).__name__,
            advice="Name this replica to its clients in MDS_ADDRESS, or unset MDS_ANNOUNCE.",
        )


def is_everywhere(host: str) -> bool:
    """Whether who listens there listens on all networks."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return not host


def interfaces_of(host: str) -> list[str] | InterfaceChoice:
    """Networks to announce on; those of IPv4, which carry the addresses of both."""
    if is_everywhere(host):
        return InterfaceChoice.All
    addresses = addresses_of(host)
    if all(ip_address(each).is_loopback for each in addresses):
        return [LOOPBACK]
    plain = [each for each in addresses if ":" not in each]
    return plain or InterfaceChoice.All


def addresses_of(host: str) -> list[str]:
    """Addresses at which others find a replica that listens there.

    Raises:
        OSError: the host's name does not resolve.
    """
    if is_everywhere(host):
        kinds = {socket.AF_INET, *([socket.AF_INET6] if ":" in host else [])}
        own = [
            each.address
            for interface in psutil.net_if_addrs().values()
            for each in interface
            if each.family in kinds and "%" not in each.address
        ]
        outside = [each for each in own if not ip_address(each).is_loopback]
        return sorted(outside) or [LOOPBACK]
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def shortened(text: str, longest: int) -> str:
    """Its beginning, of at most so many bytes."""
    return text.encode()[:longest].decode(errors="ignore")
