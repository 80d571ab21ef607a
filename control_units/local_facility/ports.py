"""The ports that a local facility listens on."""

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from control_units.figures import PORT_VARIABLE


class PortTaken(Exception):
    """Somebody else listens where a program of ours should."""


class PortInvalid(Exception):
    """A setting is no port."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port and the setting that says it."""

    setting: str
    purpose: str
    number: int

    def problem(self) -> str | None:
        """What is in the way of listening here; None: nothing."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.number))
            except OSError as error:
                return (
                    f"Port {self.number}, for {self.purpose}, cannot be used: "
                    f"{error.strerror}{held_by(self.number)}. Choose another one with "
                    f"{self.setting}, such as {self.setting}={self.number + 10}."
                )
        return None


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of the server for unit servers and clients, for its own health and metrics, and of
    the page."""

    grpc: Port
    http: Port
    web: Port

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Ports":
        """What the environment says.

        Raises:
            PortInvalid: a setting is no number from 1 to 65535.
        """

        def port(setting: str, purpose: str, default: int) -> Port:
            text = environment.get(setting, "") or str(default)
            if not (text.isdecimal() and 1 <= int(text) <= 65535):
                raise PortInvalid(f"{setting} is {text!r}; it must be a number from 1 to 65535.")
            return Port(setting, purpose, int(text))

        return cls(
            grpc=port("MDS_GRPC_PORT", "the server", 7400),
            http=port("MDS_HTTP_PORT", "the server's health and metrics", 7401),
            web=port("MDS_WEB_PORT", "the page", 7402),
        )

    @property
    def address(self) -> str:
        """What clients take as MDS_ADDRESS."""
        return f"127.0.0.1:{self.grpc.number}"

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.web.number}/"

    def settings(self) -> dict[str, str]:
        """Environment variables that tell all programs."""
        ports = (self.grpc, self.http, self.web)
        return {port.setting: str(port.number) for port in ports} | {"MDS_ADDRESS": self.address}

    def check_free(self) -> None:
        """Raises: PortTaken, with all that are in the way."""
        problems = [port.problem() for port in (self.grpc, self.http, self.web)]
        if found := [problem for problem in problems if problem]:
            raise PortTaken("\n".join(found))


def figures_port(place: int, environment: Mapping[str, str] = os.environ) -> str:
    """Where one of several programs tells its figures; empty: MDS_METRICS_PORT is not set.

    Args:
        place: 0: at that port, 1: at the next one, and so on.
    """
    first = environment.get(PORT_VARIABLE, "")
    return str(int(first) + place) if first.isdecimal() and int(first) else first


def held_by(port: int) -> str:
    """Names the process that listens on a port, where this user may know."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return ""
