"""Where the figures of a program are asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

from control_units.client.client import release
from control_units.figures import HOST_VARIABLE, PORT_VARIABLE

DEFAULT_HOST = "127.0.0.1"
HIGHEST_PORT = 65535
log = structlog.get_logger(__name__)


def figures_of_process(program: str) -> CollectorRegistry:
    """With those of the process and of Python.

    Args:
        program: `web`, `agent` or `unit-server`.
    """
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    info = Info("mds", "What this program is.", registry=registry)
    info.info({"program": program, "version": release()})
    return registry


@contextmanager
def served(registry: CollectorRegistry) -> Iterator[int]:
    """Answers `GET /metrics` in a thread of its own, where a port is set; gives that, or 0.

    That it cannot is no reason for a program to stay away: its log says why.
    """
    text = os.environ.get(PORT_VARIABLE, "").strip()
    if not text:
        yield 0
        return
    host = os.environ.get(HOST_VARIABLE, "").strip() or DEFAULT_HOST
    try:
        server, thread = start_http_server(port_of(text), host, registry)
    except (OSError, ValueError) as problem:
        advice = f"set {PORT_VARIABLE} to a free port (0: any), {HOST_VARIABLE} to an address here"
        log.warning("figures_not_served", host=host, port=text, problem=str(problem), advice=advice)
        yield 0
        return
    log.info("figures_served", host=host, port=server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def port_of(text: str) -> int:
    """
    Raises:
        ValueError: it is no port.
    """
    port = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= port <= HIGHEST_PORT:
        raise ValueError(f"{text!r} is no port; right would be 0 to {HIGHEST_PORT}")
    return port
