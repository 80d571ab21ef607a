"""Positions and times on the wire."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1 import position_pb2

from metadata_server.domain.change import Position


def position_message(position: Position) -> position_pb2.Position:
    return position_pb2.Position(
        store_id=position.store_id, epoch=position.epoch, revision=position.revision
    )


def position_of(message: position_pb2.Position) -> Position:
    return Position(message.store_id, message.epoch, message.revision)


def time_message(time_us: int | None) -> Timestamp | None:
    """A time in microseconds since 1970; 0 and None are no time."""
    if not time_us:
        return None
    seconds, microseconds = divmod(time_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=microseconds * 1000)


def time_us_of(message: Timestamp) -> int:
    """Microseconds since 1970; what is finer is left out."""
    return message.seconds * 1_000_000 + message.nanos // 1000
