"""A network of its own: a bridge, and a namespace with one address for each service.

Needs root, as only root makes interfaces. Everything it makes has the same prefix, so that what a
killed run left behind is found and removed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from ipaddress import ip_interface
from pathlib import Path

from deploy.processes.ip import ip
from deploy.processes.slow_link import SlowLink
from deploy.processes.topology import Service

PREFIX = "mds-"
BRIDGE = "mds-bridge"
HOSTS = Path("/etc/netns")
# This machine as a host of the network: whoever is in no namespace is here.
MACHINE = "machine"
# A locally administered address that no interface has.
NOBODY = "02:00:00:00:00:00"


class Network:
    """All hosts see each other, and this machine sees them at `gateway`."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = list(services)
        first = ip_interface(f"{self._services[0].address}/24").network
        self.gateway = str(first.network_address + 1)
        self._length = first.prefixlen

    def up(self) -> None:
        """
        Raises:
            subprocess.CalledProcessError: an interface cannot be made.
        """
        self.down()
        ip(f"link add {BRIDGE} type bridge", f"address add {self.gateway}/{self._length} dev {BRIDGE}",
            f"link set {BRIDGE} up")  # fmt: skip
        names = "".join(f"{each.address} {each.name}\n" for each in self._services)
        for number, service in enumerate(self._services):
            space, outside = namespace(service.name), f"{PREFIX}{number}"
            ip(
                f"netns add {space}",
                f"link add {outside} type veth peer name eth0 netns {space}",
                f"link set {outside} master {BRIDGE} up",
            )
            ip(
                f"address add {service.address}/{self._length} dev eth0",
                "link set eth0 up",
                "link set lo up",
                inside=space,
            )
            folder = HOSTS / space
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost\n{names}")

    def down(self) -> None:
        """Removes it, and what an earlier one left: one that was killed left its processes."""
        # First the cables: the kernel takes those of a namespace that is gone in its own time, and
        # until then their names are taken.
        for cable in _cables():
            with contextlib.suppress(subprocess.CalledProcessError):  # it may just have gone
                ip(f"link delete {cable}")
        for space in _namespaces():
            for pid in ip(f"netns pids {space}").split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            ip(f"netns delete {space}")
            shutil.rmtree(HOSTS / space, ignore_errors=True)
        if HOSTS.is_dir() and not any(HOSTS.iterdir()):
            HOSTS.rmdir()

    def part(self, one: str, other: str) -> None:
        """Nothing gets from one host to another any more, and nothing back. Neither is told, as
        with a cable pulled: what is sent goes to a station that does not exist.

        Args:
            one: a service, or `MACHINE`.
        """
        self._neighbours(f"replace {{}} lladdr {NOBODY} dev {{}} nud permanent", one, other)

    def join(self, one: str, other: str) -> None:
        """Undoes `part`."""
        self._neighbours("delete {} dev {}", one, other)

    def slow(self, name: str) -> SlowLink:
        """The cable of a service, to be made slow."""
        number = [each.name for each in self._services].index(name)
        return SlowLink(f"{PREFIX}{number}", BRIDGE, f"{PREFIX}slow")

    def _neighbours(self, command: str, one: str, other: str) -> None:
        for here, there in ((one, other), (other, one)):
            device = BRIDGE if here == MACHINE else "eth0"
            ip(
                f"neighbour {command.format(self._address(there), device)}",
                inside="" if here == MACHINE else namespace(here),
            )

    def _address(self, name: str) -> str:
        if name == MACHINE:
            return self.gateway
        return next(each.address for each in self._services if each.name == name)


def may_make_namespaces() -> bool:
    """Whether this process may make namespaces with interfaces of their own."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        return False
    try:
        ip("netns add probing-namespaces", "netns delete probing-namespaces")
    except subprocess.CalledProcessError:
        return False
    return True


def namespace(name: str) -> str:
    """Of a service."""
    return f"{PREFIX}{name}"


def inside(name: str) -> list[str]:
    """Words before a command that runs it where a service is."""
    return ["ip", "netns", "exec", namespace(name)]


def _cables() -> list[str]:
    """Their ends on this machine, and what these hang on."""
    names = (each.name for each in Path("/sys/class/net").iterdir())
    return [name for name in names if name.startswith(PREFIX)]


def _namespaces() -> list[str]:
    names = [line.split()[0] for line in ip("netns list").splitlines() if line]
    return [name for name in names if name.startswith(PREFIX)]
