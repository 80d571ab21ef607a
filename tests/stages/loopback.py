"""Watches that tests talk to nobody beyond loopback."""

import ipaddress
import socket
import sys

Address = tuple[object, ...]


class Loopback:
    """Refuses connections of this process beyond loopback, and remembers who tried.

    It sees Python's own sockets, through an audit hook; a hook cannot be taken out again.
    """

    EVENTS = ("socket.connect", "socket.sendto")

    def __init__(self) -> None:
        self.strayed: list[str] = []

    def watch(self) -> None:
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in self.EVENTS:
            address = arguments[1]
            # What is sent from loopback stays there, multicast too.
            sender = arguments[0]
            if isinstance(sender, socket.socket) and is_loopback(sender.getsockname() or ("-",)):
                return
            if isinstance(address, tuple) and not is_loopback(address):
                self.strayed.append(f"{event} to {address}")
                raise PermissionError(f"{event} to {address}: tests stay on loopback")


def is_loopback(address: Address) -> bool:
    """Whether an Internet address, as sockets take it, stays on this machine."""
    host = str(address[0]).partition("%")[0]
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
