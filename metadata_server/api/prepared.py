"""Replies whose bytes are made before they are sent: of what is remembered, once for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from metadata_server.services.watching.remembered import Held

MESSAGE, WIRE = "message", "wire"
TIMES_WIRE = 17
"""A message and the value that it was made of take so many times the bytes of the wire: measured
of units and of configurations, which came to 16 and 17."""


class Ready(ABC):
    """What a servicer may return instead of a message."""

    __slots__ = ()

    @property
    @abstractmethod
    def message(self) -> Message: ...

    @property
    @abstractmethod
    def wire(self) -> bytes: ...

    @property
    def head(self) -> Message:
        """The message, or as much of it as is not a page's content."""
        return self.message


class Prepared(Ready):
    """A message that is held, with its forms.

    Args:
        make: the message of what is held.
    """

    __slots__ = ("_held", "_make")

    def __init__(self, held: Held[Any], make: Callable[[Any], Message]) -> None:
        self._held = held
        self._make = make

    def form(self, name: str, make: Callable[[Message], bytes]) -> bytes:
        """The message as bytes of some form, made when it is first asked for."""
        return self._held.form(name, lambda: make(self.message), len)

    @property
    def message(self) -> Message:
        """Everybody's: not to be changed."""
        held = self._held
        return held.form(MESSAGE, lambda: self._make(held.value), weight_of)

    @property
    def wire(self) -> bytes:
        return self.form(WIRE, lambda message: message.SerializeToString())


def weight_of(message: Message) -> int:
    """Bytes that a message takes, with the value that it was made of."""
    return TIMES_WIRE * message.ByteSize()


def serialized(reply: Message | Ready) -> bytes:
    """The bytes of a reply."""
    return reply.wire if isinstance(reply, Ready) else reply.SerializeToString()


def message_of(reply: Message | Ready) -> Message:
    """A reply as its message; perhaps everybody's: not to be changed."""
    return reply.message if isinstance(reply, Ready) else reply
