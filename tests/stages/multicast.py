"""Whether programs of this machine can find each other by multicast DNS on loopback."""

import errno
import socket
import struct
from functools import cache

GROUP, PORT = "224.0.0.251", 5353
LOOPBACK = "127.0.0.1"


@cache
def what_is_missing() -> str:
    """Empty: nothing; else why not, as `needs` says it."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind(("", PORT))
            both = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOOPBACK))
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, both)
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
    except OSError as error:
        return f"There is no multicast on loopback: {errno.errorcode.get(error.errno or 0, error)}."
    return ""
