"""A cable that takes its time, for what goes to and from one port of a host.

Not every kernel has `netem`; this reads frames from one end of the cable and writes them to the
other one later. Frames keep what the kernel says beside them (sums and segments to be made), so
that nothing has to be switched off on the host.
"""

import asyncio
import contextlib
import heapq
import itertools
import math
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from deploy.processes.ip import ip

# linux/if_packet.h, linux/if_ether.h
_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_ETH_P_ALL = 3
_BESIDE_BYTES = 10  # struct virtio_net_hdr
_MOST_BYTES = 70_000
_AT_ONCE = 256


@dataclass
class SlowLink:
    """
    Args:
        cable: the end, on this machine, of the interface of a host.
        bridge: what it hangs on.
        helper: a name for a pair of interfaces that stands in between meanwhile.
    """

    cable: str
    bridge: str
    helper: str
    _waiting: list[tuple[float, int, socket.socket, bytes]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    @contextlib.asynccontextmanager
    async def delayed(self, seconds: float, *, address: str, port: int) -> AsyncIterator[None]:
        """Each way takes so long, for TCP with this port of this address; all else goes at once.

        Args:
            seconds: infinite: it never arrives.

        Raises:
            OSError: no interface can be made.
        """
        await asyncio.to_thread(self._put_between)
        ends = [_opened(each) for each in (self.cable, f"{self.helper}-in")]
        loop = asyncio.get_running_loop()
        mark = (socket.inet_aton(address), port.to_bytes(2, "big"))
        for here, there in (ends, ends[::-1]):
            loop.add_reader(here, self._read, here, there, seconds, mark)
        try:
            yield
        finally:
            for each in ends:
                loop.remove_reader(each)
                each.close()
            self._waiting.clear()
            await asyncio.to_thread(self._take_out)

    def _read(
        self, here: socket.socket, there: socket.socket, seconds: float, mark: tuple[bytes, bytes]
    ) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_AT_ONCE):
            try:
                frame = here.recv(_MOST_BYTES)
            except OSError:  # read empty, or the interface is gone
                return
            if is_of(frame[_BESIDE_BYTES:], *mark):
                if math.isinf(seconds):
                    continue
                due = loop.time() + seconds
                heapq.heappush(self._waiting, (due, next(self._order), there, frame))
                loop.call_at(due, self._send_due)
            else:
                _send(there, frame)

    def _send_due(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0][0] <= now + 0.001:
            _, _, there, frame = heapq.heappop(self._waiting)
            _send(there, frame)

    def _put_between(self) -> None:
        # Without ARP, as this machine must not answer for its own address on another's cable.
        ip(
            f"link add {self.helper}-in type veth peer name {self.helper}-out",
            f"link set {self.helper}-in arp off up",
            f"link set {self.helper}-out master {self.bridge} up",
            f"link set {self.cable} nomaster arp off",
        )

    def _take_out(self) -> None:
        ip(f"link delete {self.helper}-in", f"link set {self.cable} arp on master {self.bridge}")


def is_of(frame: bytes, address: bytes, port: bytes) -> bool:
    """Whether a frame is TCP over IPv4, from or to this port of this address."""
    if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP:
        return False
    ports = 14 + (frame[14] & 0x0F) * 4
    return (frame[26:30], frame[ports : ports + 2]) == (address, port) or (
        frame[30:34],
        frame[ports + 2 : ports + 4],
    ) == (address, port)


def _opened(interface: str) -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    opened.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    opened.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_000_000)
    opened.bind((interface, 0))
    opened.settimeout(0)
    return opened


def _send(there: socket.socket, frame: bytes) -> None:
    with contextlib.suppress(OSError):  # as a cable would: what does not fit is lost
        there.send(frame)
