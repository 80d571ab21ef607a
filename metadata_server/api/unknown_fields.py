"""What a newer client says that this release does not understand.

Where something is asked, it is passed over, as protobuf does. Where something is to be changed it
is refused, by gRPC as by REST: a field that is dropped is lost, and one that says how (`validate_only`
was such a field once) would have something done that nobody wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from metadata_server.domain.refused import Refused, WrongField
from metadata_server.version import version

CHANGES = "request_id"
"""The field that all requests have which change something."""


def changes_something(request: Any) -> bool:
    return CHANGES in request.DESCRIPTOR.fields_by_name


def check_fields(request: Any) -> None:
    """Passes when this release knows every field of a message.

    Raises:
        Refused: UNKNOWN_FIELD, naming the first one.
    """
    # Both are of one walk in C; field by field it is looked for only where there is one.
    known = type(request)()
    known.CopyFrom(request)
    known.DiscardUnknownFields()
    if known.ByteSize() == request.ByteSize():
        return
    path = next(unknown_fields(request, ""))
    expected = f"a field that this server, of release {version()}, knows: upgrade it first"
    raise Refused.wrong_fields([WrongField(path, "sent", expected, "UNKNOWN_FIELD")])


def unknown_fields(message: Any, path: str) -> Iterator[str]:
    """Paths of the fields that are not in the descriptor, by their numbers."""
    unknown = UnknownFieldSet(message)
    for position in range(len(unknown)):
        yield f"{path}[{unknown[position].field_number}]"
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        if field.message_type.GetOptions().map_entry:
            value_field = field.message_type.fields_by_name["value"]
            inner = value.values() if value_field.message_type else ()
        else:
            inner = (value,) if isinstance(value, Message) else value
        for each in inner:
            yield from unknown_fields(each, f"{path}{field.name}.")
