"""Replies whose bytes are made before they are sent: of what is remembered, once for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from metadata_server.services.watching.remembered import Held

MESSAGE, WIRE = "message", "wire"


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

    def form(self, name: str, make: Callable[[Message], Any]) -> Any:
        """A form of the message, made when it is first asked for."""
        forms = self._held.forms
        if name not in forms:
            forms[name] = make(self.message)
        return forms[name]

    @property
    def message(self) -> Message:
        """Everybody's: not to be changed."""
        forms = self._held.forms
        if MESSAGE not in forms:
            forms[MESSAGE] = self._make(self._held.value)
        message: Message = forms[MESSAGE]
        return message

    @property
    def wire(self) -> bytes:
        found: bytes = self.form(WIRE, lambda message: message.SerializeToString())
        return found


def serialized(reply: Message | Ready) -> bytes:
    """The bytes of a reply."""
    return reply.wire if isinstance(reply, Ready) else reply.SerializeToString()


def message_of(reply: Message | Ready) -> Message:
    """A reply as its message; perhaps everybody's: not to be changed."""
    return reply.message if isinstance(reply, Ready) else reply
