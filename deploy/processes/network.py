"""A network of its own: a bridge, and a namespace with one address for each service.

Needs root, as only root makes interfaces. Everything it makes has the same prefix, so that what a
killed run left behind is found and removed.
"""

import shutil
import subprocess
from collections.abc import Iterable
from ipaddress import ip_interface
from pathlib import Path

from deploy.processes.topology import Service

PREFIX = "mds-"
BRIDGE = "mds-bridge"
HOSTS = Path("/etc/netns")


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
        _ip(f"link add {BRIDGE} type bridge", f"address add {self.gateway}/{self._length} dev {BRIDGE}",
            f"link set {BRIDGE} up")  # fmt: skip
        names = "".join(f"{each.address} {each.name}\n" for each in self._services)
        for number, service in enumerate(self._services):
            space, outside = namespace(service.name), f"{PREFIX}{number}"
            _ip(
                f"netns add {space}",
                f"link add {outside} type veth peer name eth0 netns {space}",
                f"link set {outside} master {BRIDGE} up",
            )
            _ip(
                f"address add {service.address}/{self._length} dev eth0",
                "link set eth0 up",
                "link set lo up",
                inside=space,
            )
            folder = HOSTS / space
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost\n{names}")

    def down(self) -> None:
        """Removes it, and what an earlier one left."""
        for space in _namespaces():
            _ip(f"netns delete {space}")
            shutil.rmtree(HOSTS / space, ignore_errors=True)
        if HOSTS.is_dir() and not any(HOSTS.iterdir()):
            HOSTS.rmdir()
        if (Path("/sys/class/net") / BRIDGE).exists():
            _ip(f"link delete {BRIDGE}")

    def part(self, one: str, other: str) -> None:
        """Nothing gets from one service to another any more, and nothing back."""
        self._routes("add", one, other)

    def join(self, one: str, other: str) -> None:
        """Undoes `part`."""
        self._routes("delete", one, other)

    def _routes(self, verb: str, one: str, other: str) -> None:
        for here, there in ((one, other), (other, one)):
            _ip(f"route {verb} blackhole {self._address(there)}/32", inside=namespace(here))

    def _address(self, name: str) -> str:
        return next(each.address for each in self._services if each.name == name)


def namespace(name: str) -> str:
    """Of a service."""
    return f"{PREFIX}{name}"


def inside(name: str) -> list[str]:
    """Words before a command that runs it where a service is."""
    return ["ip", "netns", "exec", namespace(name)]


def _namespaces() -> list[str]:
    told = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    names = [line.split()[0] for line in told.stdout.splitlines() if line]
    return [name for name in names if name.startswith(PREFIX)]


def _ip(*commands: str, inside: str = "") -> None:
    where = ["-netns", inside] if inside else []
    for command in commands:
        subprocess.run(
            ["ip", *where, *command.split()], check=True, capture_output=True, timeout=20
        )
