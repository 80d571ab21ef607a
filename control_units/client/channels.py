"""One channel for each server, and which one is in use."""

import random
from collections.abc import Sequence

import grpc.aio

MAXIMUM_RECEIVED_BYTES = 64 * 1024 * 1024

_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAXIMUM_RECEIVED_BYTES),
    ("grpc.max_send_message_length", -1),
    # A server whose host vanished without a word is noticed after 10 + 5 s at most.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
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

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = tuple(addresses)
        self._channels: dict[str, grpc.aio.Channel] = {}
        # Clients that start together spread over the servers.
        self._index = random.randrange(len(self.addresses))

    @property
    def address(self) -> str:
        """The server in use."""
        return self.addresses[self._index]

    def channel(self, address: str) -> grpc.aio.Channel:
        """The channel to one server, made at its first use; needs a running loop."""
        if address not in self._channels:
            self._channels[address] = grpc.aio.insecure_channel(address, options=_OPTIONS)
        return self._channels[address]

    def leave(self, address: str) -> None:
        """Goes on to the next server, unless another call has left this one already."""
        if address == self.address:
            self._index = (self._index + 1) % len(self.addresses)

    async def close(self) -> None:
        """Ends all calls under way; they fail with `asyncio.CancelledError`."""
        channels = list(self._channels.values())
        self._channels.clear()
        for channel in channels:
            await channel.close()
