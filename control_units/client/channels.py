"""One channel for each server, and which one is in use."""

import asyncio
import time
from collections.abc import Sequence

import grpc
import grpc.aio

from control_units.client.addresses import DEFAULT_HOST, DEFAULT_HTTP_PORT, Address
from control_units.client.directory import Directory
from control_units.client.errors import Unreachable
from control_units.client.rotation import Rotation, Server

MAXIMUM_RECEIVED_BYTES = 64 * 1024 * 1024
TRY_S = 2.0
GONE_S = 60.0
"""No call that began before lasts longer without a connection."""

_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAXIMUM_RECEIVED_BYTES),
    ("grpc.max_send_message_length", -1),
    # A server that stands still, or whose host vanished, is noticed 1.5 + 2 s after its last word.
    # One that has much to do is not taken for such: gRPC's own threads answer, not the loop. The
    # first time-out is that of what TCP has sent; for pings gRPC waits a minute, unless told.
    ("grpc.keepalive_time_ms", 1_500),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 2_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Who waits, and how long, is decided by our own back-off.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_retries", 0),
    # A control system's network is reached directly, whatever the environment says of the web.
    ("grpc.enable_http_proxy", 0),
)


class Channels:
    """The servers that may be asked: any is as good as another, one is in use at a time.

    gRPC's own multi-address targets take only numeric addresses and hide which server
    answered; a unit server that is told to go elsewhere must be able to.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self.written = ",".join(map(str, addresses))
        self._rotation = Rotation(self._is_well)
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._directory: Directory | None = None
        self._trying: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._unlisted: dict[str, float] = {}
        if any(each.scheme for each in addresses):
            self._directory = Directory(addresses, self._take)
        else:
            self._rotation.replace(Server(address=str(each)) for each in addresses)

    @property
    def servers(self) -> tuple[Server, ...]:
        """Those that are known."""
        return self._rotation.servers

    @property
    def addresses(self) -> tuple[str, ...]:
        """Theirs."""
        return tuple(each.address for each in self._rotation.servers)

    @property
    def address(self) -> str:
        """The server in use; empty: none is known yet."""
        return self._rotation.address

    @property
    def http_address(self) -> str:
        """Where REST of the server in use is: where it said, else at the usual port."""
        known = {each.address: each.http_port for each in self.servers}
        host = self.address.rpartition(":")[0]
        return f"{host or DEFAULT_HOST}:{known.get(self.address) or DEFAULT_HTTP_PORT}"

    async def found(self, seconds: float) -> str:
        """The server in use, once one is known.

        Raises:
            Unreachable: none is, and why.
        """
        if not self.address and self._directory is not None:
            try:
                async with asyncio.timeout(seconds):
                    await self._directory.look()
            except TimeoutError:
                raise Unreachable(self.written, "looking for servers took too long.") from None
        if not self.address and self._directory is not None:
            raise Unreachable(self.written, self._directory.problem)
        return self.address

    def channel(self, address: str) -> grpc.aio.Channel:
        """The channel to one server, made at its first use; needs a running loop."""
        if address not in self._channels:
            self._channels[address] = grpc.aio.insecure_channel(address, options=_OPTIONS)
        return self._channels[address]

    def leave(self, address: str) -> None:
        """Goes on to another server, unless another call has left this one already. It is asked
        again when a connection to it stands."""
        self._rotation.leave(address)
        if self._is_closed:
            return
        self._try_again()
        if self._directory is not None:
            self._directory.look_again()

    async def close(self) -> None:
        """Ends all calls under way; they fail with `asyncio.CancelledError`."""
        self._is_closed = True
        if self._trying is not None:
            self._trying.cancel()
        if self._directory is not None:
            await self._directory.close()
        channels = list(self._channels.values())
        self._channels.clear()
        for channel in channels:
            await channel.close()

    async def _take(self, servers: Sequence[Server]) -> None:
        """These are there. Calls that are under way elsewhere go on; what cannot be connected to
        and is gone for a while is let go, for gRPC would try for ever."""
        self._rotation.replace(servers)
        now = time.monotonic()
        unlisted = self._channels.keys() - set(self.addresses)
        self._unlisted = {each: self._unlisted.get(each, now) for each in unlisted}
        for address, since in self._unlisted.items():
            if now - since > GONE_S and not self._is_ready(address):
                await self._channels.pop(address).close()

    def _try_again(self) -> None:
        """Connects to servers that were left, now and every few seconds, so that who looks for one
        when a stream has ended finds it well: gRPC connects only where there is a call."""
        for address in self._rotation.left & self._channels.keys():
            self._is_well(address)
        if self._trying is None or self._trying.when() <= asyncio.get_running_loop().time():
            self._trying = asyncio.get_running_loop().call_later(TRY_S, self._try_again)

    def _is_well(self, address: str) -> bool:
        state = self.channel(address).get_state(try_to_connect=True)
        return state is grpc.ChannelConnectivity.READY

    def _is_ready(self, address: str) -> bool:
        return self._channels[address].get_state() is grpc.ChannelConnectivity.READY
