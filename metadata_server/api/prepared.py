"""Replies that are remembered, and whose bytes are made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from metadata_server.services.watching.remembered import Held

MESSAGE, WIRE = "message", "wire"


class Prepared:
    """What a servicer may return instead of a message: one that is held, with its forms.

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


def serialized(reply: Message | Prepared) -> bytes:
    """The bytes of a reply."""
    if isinstance(reply, Prepared):
        return reply.wire
    return reply.SerializeToString()
