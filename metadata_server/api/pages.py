"""Pages of lists whose entries are kept as bytes, so that those need only be joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import Message

from metadata_server.api.entries import entry_of, tag_of
from metadata_server.api.messages import to_message
from metadata_server.api.prepared import Ready
from metadata_server.domain.resource import Resource

ITEMS_FIELD = 1
"""Where every list of the protocol has what it holds."""
ITEMS_TAG = tag_of(ITEMS_FIELD)
OVERHEAD_BYTES = 700
"""Of all objects that keep one resource, roughly."""
TIMES_KEPT = 4
"""JSON is about three times as long as the wire."""


class Written:
    """One resource, as an entry of a list.

    Attributes:
        wire: tag, length and message.
        text: as JSON; empty: nobody has asked for it.
    """

    __slots__ = ("text", "wire")

    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self.text = b""


def written(resource: Resource) -> Written:
    return Written(entry_of(ITEMS_TAG, to_message(resource).SerializeToString()))


def weight_of(kept: Written) -> int:
    """Bytes that it takes, or will once somebody asks for JSON."""
    return OVERHEAD_BYTES + TIMES_KEPT * len(kept.wire)


class Page(Ready):
    """A reply with a page of a list.

    Args:
        head: the reply without what is on the page.
    """

    __slots__ = ("_head", "items")

    def __init__(self, head: Message, items: Sequence[Written]) -> None:
        self._head = head
        self.items = items

    @property
    def head(self) -> Message:
        return self._head

    @property
    def message(self) -> Message:
        return type(self._head).FromString(self.wire)

    @property
    def wire(self) -> bytes:
        return b"".join([*(each.wire for each in self.items), self._head.SerializeToString()])

    @property
    def are_written(self) -> bool:
        """Whether JSON of all that is on it has been made."""
        return all(each.text for each in self.items)

    def texts(self, make: Callable[[Message], bytes]) -> list[bytes]:
        """JSON of all that is on it, made where nobody has asked for it yet."""
        missing = [each for each in self.items if not each.text]
        message = type(self._head).FromString(b"".join(each.wire for each in missing))
        entries: Any = getattr(message, self.items_name)
        for each, entry in zip(missing, entries, strict=True):
            each.text = make(entry)
        return [each.text for each in self.items]

    @property
    def items_name(self) -> str:
        """Of the field with what is on it."""
        return self._head.DESCRIPTOR.fields_by_number[ITEMS_FIELD].name
