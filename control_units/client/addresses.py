"""Where servers are, as people write it."""

from collections.abc import Sequence

DEFAULT_PORT = 7400
DEFAULT_ADDRESS = f"127.0.0.1:{DEFAULT_PORT}"
ADDRESS_VARIABLE = "MDS_ADDRESS"


class BadAddress(ValueError):
    """What was written names no server."""


def parse_addresses(written: str | Sequence[str]) -> tuple[str, ...]:
    """The `host:port` of each server, in the order written, each once.

    A missing port is 7400; an IPv6 address stands in brackets (`[::1]:7400`).

    Raises:
        BadAddress: it names no server, or one has no host or no usable port.
    """
    parts = written.split(",") if isinstance(written, str) else written
    addresses = tuple(dict.fromkeys(_parse(part.strip()) for part in parts if part.strip()))
    if not addresses:
        raise BadAddress(
            f"{ADDRESS_VARIABLE} is {written!r}, which names no server; "
            f"it should be like {DEFAULT_ADDRESS!r} or 'a:{DEFAULT_PORT},b:{DEFAULT_PORT}'."
        )
    return addresses


def _parse(text: str) -> str:
    if text.endswith("]") or ":" not in text:
        host, port = text, str(DEFAULT_PORT)
    else:
        host, _, port = text.rpartition(":")
    ambiguous = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not host or ambiguous or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadAddress(
            f"{text!r} is no address of a server; it should be HOST:PORT with a port from 1 to "
            f"65535, like {DEFAULT_ADDRESS!r} or '[::1]:{DEFAULT_PORT}'."
        )
    return f"{host}:{port}"
