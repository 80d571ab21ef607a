"""Free ports on loopback."""

import asyncio
import contextlib
import random
import socket

# Below what the kernel gives to outgoing connections (from 32768), which would take a port
# between the probe and its use.
PORTS = range(15_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on now, drawn from so many that programs which are started at
    the same time do not draw the same one."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def is_open(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
