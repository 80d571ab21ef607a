"""How much each client has under way, and whether it may have more."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from metadata_server.domain.client_limits import ClientLimits
from metadata_server.domain.refused import Refused

MOST_CLIENTS = 10_000
"""That are remembered although they have nothing under way."""
BURST_S = 2.0
CLIENTS = 4
"""So many may have all their calls, and all their streams, under way at once."""
SHARE = 2
"""A client may have one part in so many of all bytes."""
SHARE_OF_STRANGERS = 8
"""And so, together, may calls of which nobody knows yet whose they are."""
SHORTEST_DELAY_S, DELAY_S, STREAM_DELAY_S = 0.1, 1.0, 5.0


@dataclass(slots=True)
class Client:
    """What one client has under way.

    Attributes:
        left: calls that it may make now.
        counted: when those were counted, by the clock, s.
    """

    name: str
    left: float
    counted: float
    calls: int = 0
    streams: int = 0
    unit_servers: int = 0
    bytes: int = 0

    @property
    def is_idle(self) -> bool:
        return not (self.calls or self.streams or self.unit_servers or self.bytes)


class Admission:
    """Counts, per client, over all faces of a replica.

    Clients are told apart by names that whoever asks has made: who they are, or where they
    come from.
    """

    def __init__(self, limits: ClientLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._burst = max(1.0, limits.calls_per_s * BURST_S)
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._calls = self._bytes = 0
        # By whether they are of unit servers.
        self._streams = dict.fromkeys((False, True), 0)
        self._strangers = self._bytes_of_strangers = 0
        self.refused: Counter[str] = Counter()

    @property
    def clients(self) -> int:
        """How many are remembered."""
        return len(self._clients)

    @contextmanager
    def stranger(self, size: int) -> Iterator[None]:
        """A call waits, with the bytes that it brings, until it is known whose token it shows.
        What it takes, it takes from other strangers only.

        Raises:
            Refused: TOO_BUSY, with when to come again.
        """
        most, most_bytes = self._limits.strangers, self._limits.request_bytes // SHARE_OF_STRANGERS
        is_large = self._bytes_of_strangers > 0 and self._bytes_of_strangers + size > most_bytes
        if self._strangers >= most or is_large:
            bound = (
                f"{most_bytes // 2**20} MB of requests (one part in {SHARE_OF_STRANGERS} of "
                "MDS_REQUEST_MB)"
                if is_large
                else f"{most:,} calls (MDS_WAITING)"
            )
            raise self._too_busy(
                "strangers",
                "This replica has to look up whose token this is, and has as much waiting for that "
                f"as it may: {bound}.",
                DELAY_S,
            )
        self._strangers += 1
        self._bytes_of_strangers += size
        try:
            yield
        finally:
            self._strangers -= 1
            self._bytes_of_strangers -= size

    def call(self, name: str) -> Client:
        """A call with one answer begins; it has to be ended.

        Raises:
            Refused: TOO_BUSY, with when to come again.
        """
        client = self._known(name)
        limits = self._limits
        if self._calls >= limits.calls * CLIENTS:
            raise self._too_busy(
                "all_calls",
                f"This replica has {self._calls:,} calls under way, as many as it may "
                f"({CLIENTS} times MDS_CALLS_PER_CLIENT).",
                DELAY_S,
            )
        if client.calls >= limits.calls:
            raise self._too_busy(
                "calls_at_once",
                f"You have {limits.calls:,} calls under way on this replica, as many as one "
                "client may (MDS_CALLS_PER_CLIENT).",
                DELAY_S,
            )
        self._check_pace(client)
        client.calls += 1
        self._calls += 1
        return client

    def end_call(self, client: Client) -> None:
        client.calls -= 1
        self._calls -= 1

    def stream(self, name: str, *, of_unit_server: bool) -> Client:
        """A call that lasts begins; it has to be ended.

        Raises:
            Refused: TOO_BUSY, with when to come again.
        """
        client = self._known(name)
        most = self._limits.streams
        if self._streams[of_unit_server] >= most * CLIENTS:
            raise self._too_busy(
                "all_streams",
                f"This replica has {most * CLIENTS:,} streams of its clients, as many as it may "
                f"({CLIENTS} times MDS_STREAMS_PER_CLIENT). Go to another replica.",
                STREAM_DELAY_S,
            )
        if (client.unit_servers if of_unit_server else client.streams) >= most:
            raise self._too_busy(
                "streams",
                f"You have {most:,} streams on this replica, as many as one client may "
                "(MDS_STREAMS_PER_CLIENT). End some, or go to another replica.",
                STREAM_DELAY_S,
            )
        self._check_pace(client)
        self._streams[of_unit_server] += 1
        if of_unit_server:
            client.unit_servers += 1
        else:
            client.streams += 1
        return client

    def end_stream(self, client: Client, *, of_unit_server: bool) -> None:
        self._streams[of_unit_server] -= 1
        if of_unit_server:
            client.unit_servers -= 1
        else:
            client.streams -= 1

    def keep(self, client: Client, size: int) -> None:
        """Bytes have come that are kept for a while; they have to be released. Where there are none
        yet, any number is taken: who asks has refused what is larger than one request may be.

        Raises:
            Refused: TOO_BUSY, with when to come again.
        """
        most = self._limits.request_bytes
        is_own = client.bytes > 0 and client.bytes + size > most // SHARE
        if is_own or (self._bytes > 0 and self._bytes + size > most):
            whose = "You have" if is_own else "Clients have"
            raise self._too_busy(
                "bytes",
                f"{whose} {(client.bytes if is_own else self._bytes) // 2**20} MB of requests under "
                f"way on this replica, which takes {most // 2**20} MB of all clients, half of it of "
                "one (MDS_REQUEST_MB).",
                DELAY_S,
            )
        client.bytes += size
        self._bytes += size

    def check_call(self, size: int) -> None:
        """Passes unless one call keeps more than a client may have: it would never be taken.

        Raises:
            Refused: MESSAGE_TOO_LARGE.
        """
        most = self._limits.request_bytes // SHARE
        if size > most:
            raise Refused.pressure(
                "MESSAGE_TOO_LARGE",
                f"A bundle has at most {most // 2**20} MB on this replica, half of MDS_REQUEST_MB; "
                "send it in parts.",
            )

    def release(self, client: Client, size: int) -> None:
        client.bytes -= size
        self._bytes -= size

    def refuse_connection(self) -> None:
        """One was more than there may be, and whose it is nobody knows."""
        self.refused["connections"] += 1

    def _check_pace(self, client: Client) -> None:
        now = self._clock()
        rate = self._limits.calls_per_s
        client.left = min(self._burst, client.left + (now - client.counted) * rate)
        client.counted = now
        if client.left < 1.0:
            raise self._too_busy(
                "rate",
                f"You make more than {rate:,.0f} calls a second on this replica, which one client "
                "may (MDS_CALLS_PER_S).",
                max(SHORTEST_DELAY_S, (1.0 - client.left) / rate),
            )
        client.left -= 1.0

    def _known(self, name: str) -> Client:
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = Client(name, self._burst, self._clock())
            self._forget()
        return client

    def _forget(self) -> None:
        """Forgets those that came first and have nothing under way, where there are too many."""
        while len(self._clients) > MOST_CLIENTS:
            name, client = self._clients.popitem(last=False)
            if not client.is_idle:
                self._clients[name] = client
                return

    def _too_busy(self, cause: str, message: str, delay_s: float) -> Refused:
        self.refused[cause] += 1
        again = f"Send the same call again in {delay_s:.1f} s."
        return Refused.pressure(
            "TOO_BUSY", f"{message} {again}", retry_after_ms=round(delay_s * 1000)
        )
