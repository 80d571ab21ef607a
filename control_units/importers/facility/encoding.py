"""Resources as plain values, ready to be written."""

from functools import cache
from typing import TypeAlias

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from control_units.importers.facility.shape import (
    REFERENCES,
    SET_BY_SERVER,
    TIMESTAMP,
    is_map,
    words_of,
)

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | bool"


def encode_resource(resource: Message) -> dict[str, Plain]:
    """A resource as it stands in a file; what has its default is left out."""
    _, _, resource_id = getattr(resource, "name").partition("/")  # noqa: B009 - any resource
    encoded: dict[str, Plain] = {"id": resource_id}
    encoded.update(_encode(resource, without=SET_BY_SERVER | {"name"}))
    return encoded


def encode_message(message: Message) -> dict[str, Plain]:
    """Any other message of the protocol in the same way, all of its fields."""
    return _encode(message)


def _encode(message: Message, *, without: frozenset[str] = frozenset()) -> dict[str, Plain]:
    return {
        field.name: _encode_field(field, value)
        for field, value in message.ListFields()
        if field.name not in without
    }


def _encode_field(field: FieldDescriptor, value: object) -> Plain:
    if is_map(field):
        return {key: value[key] for key in sorted(value)}  # type: ignore[call-overload,index]
    if field.is_repeated:
        return [_encode_value(field, each) for each in value]  # type: ignore[attr-defined]
    return _encode_value(field, value)


def _encode_value(field: FieldDescriptor, value: object) -> Plain:
    if isinstance(value, Message):
        if value.DESCRIPTOR.full_name == TIMESTAMP:
            text: str = value.ToJsonString()  # type: ignore[attr-defined]
            return text
        return _encode(value)
    if field.enum_type is not None and isinstance(value, int):
        return _words(field.enum_type).get(value, value)
    if isinstance(value, str):
        collection = REFERENCES.get(field.full_name)
        return value.removeprefix(f"{collection}/") if collection else value
    assert isinstance(value, bool | int)
    return value


@cache
def _words(enum: EnumDescriptor) -> dict[int, str]:
    return {number: word for word, number in words_of(enum).items()}
