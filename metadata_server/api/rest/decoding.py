"""JSON into messages. What is wrong with it is told with its place: line and column where it is
no JSON, the field's path where it is no message of this protocol."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from metadata_server.api.rest.encoding import WIDE, Json
from metadata_server.domain.refused import Refused, WrongField

MOST_FAULTS = 50
DEEPEST = 50
HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON may write what is no character by itself."""
CANNOT_PARSE = (
    json_format.ParseError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    TypeError,
    ValueError,
)
WELL_KNOWN = {
    "google.protobuf.Timestamp": "a time like 2026-11-15T03:12:00Z",
    "google.protobuf.Duration": "a duration in seconds like 1.5s",
    "google.protobuf.FieldMask": "names of fields, with commas between them",
}
EXPECTED = {
    FieldDescriptor.CPPTYPE_STRING: "a text",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
}


def json_of(data: bytes) -> Json:
    """The JSON of some bytes, all of whose texts are UTF-8.

    Raises:
        Refused: INVALID_JSON.
    """
    try:
        text = data.decode()
        tree = json.loads(text, object_pairs_hook=once_each, parse_constant=no_constant)
        if HALF_A_PAIR.search(text):
            json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise not_json(f"it is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise not_json("a text has half of a surrogate pair, which is no character") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise not_json(f"{error.msg}, {place}", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise not_json("it is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits; once_each; no_constant
        raise not_json(str(error).partition(";")[0]) from None
    return tree


def not_json(fault: str, **metadata: object) -> Refused:
    message = f"The body is not JSON: {fault}."
    return Refused.invalid("INVALID_JSON", message, **metadata)


def once_each(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"{twice[:80]!r} is there twice in one object")
    return found


def no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number")


def message_of(descriptor: Descriptor, value: Json, path: str = "") -> Message:
    """A message out of JSON; fields may be written as in JSON or as in the protocol.

    Args:
        path: where the value is in the request.

    Raises:
        Refused: INVALID_FIELD, with all that is wrong.
    """
    message: Message = GetMessageClass(descriptor)()
    try:
        if isinstance(value, dict):
            json_format.ParseDict(value, message, max_recursion_depth=DEEPEST)
            if not has_misplaced_truth(descriptor, value):
                return message
    except CANNOT_PARSE:
        pass
    wrong = []
    for fault in faults(descriptor, value, path):
        wrong.append(fault)
        if len(wrong) == MOST_FAULTS:
            break
    expected = f"a {descriptor.name} in JSON, each field once"
    raise Refused.wrong_fields(wrong or [WrongField(path or "body", text_of(value), expected)])


def faults(descriptor: Descriptor, value: Json, path: str, depth: int = 0) -> Iterator[WrongField]:
    """What is wrong with a value that should be a message."""
    if depth > DEEPEST:
        yield WrongField(path, "…", f"at most {DEEPEST} objects within one another")
        return
    if not isinstance(value, dict):
        yield WrongField(path or "body", text_of(value), f"an object: a {descriptor.name}")
        return
    fields = {name: each for each in descriptor.fields for name in (each.name, each.json_name)}
    for name, each in value.items():
        place = f"{path}.{name}" if path else name
        field = fields.get(name)
        if field is None:
            yield WrongField(place, text_of(each), expected_name(name, descriptor))
        elif each is not None:
            yield from field_faults(field, each, place, depth)


def field_faults(
    field: FieldDescriptor, value: Json, place: str, depth: int
) -> Iterator[WrongField]:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        if not isinstance(value, dict):
            yield WrongField(place, text_of(value), "an object of keys and values")
            return
        inner = message.fields_by_name["value"]
        for key, each in value.items():
            yield from value_faults(inner, each, f"{place}[{key}]", depth)
    elif field.is_repeated:
        if not isinstance(value, list):
            yield WrongField(place, text_of(value), "a list")
            return
        for number, each in enumerate(value):
            yield from value_faults(field, each, f"{place}[{number}]", depth)
    else:
        yield from value_faults(field, value, place, depth)


def value_faults(
    field: FieldDescriptor, value: Json, place: str, depth: int
) -> Iterator[WrongField]:
    message = field.message_type
    if message is not None and message.full_name not in WELL_KNOWN:
        yield from faults(message, value, place, depth + 1)
        return
    assert field.containing_type is not None
    if is_plainly_right(field, value):
        return
    if isinstance(value, bool):
        yield WrongField(place, text_of(value), expected_of(field))
        return
    holder = GetMessageClass(field.containing_type)()
    tried: Json = value
    if field.is_repeated:
        tried = [value]
    try:
        json_format.ParseDict({field.json_name: tried}, holder)
    except CANNOT_PARSE:
        yield WrongField(place, text_of(value), expected_of(field))


def is_plainly_right(field: FieldDescriptor, value: Json) -> bool:
    """Most values are; trying them costs a hundred times as much."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return isinstance(value, str) and (value.isascii() or is_utf8(value))
    return field.type == FieldDescriptor.TYPE_BOOL and isinstance(value, bool)


def is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def has_misplaced_truth(descriptor: Descriptor, tree: dict[str, Json]) -> bool:
    """Whether true or false stands where something else should: `json_format` takes it for 1 or 0.

    Args:
        tree: which `json_format` has taken.
    """
    for name, value in tree.items():
        if isinstance(value, str | int) and not isinstance(value, bool):
            continue
        field = descriptor.fields_by_camelcase_name.get(name) or descriptor.fields_by_name[name]
        message = field.message_type
        values = value if isinstance(value, list) else [value]
        if message is not None and message.GetOptions().map_entry:
            field = message.fields_by_name["value"]
            message = field.message_type
            values = list(value.values()) if value else []
        for each in values:
            if isinstance(each, bool) and field.type != FieldDescriptor.TYPE_BOOL:
                return True
            if (
                isinstance(each, dict)
                and message is not None
                and has_misplaced_truth(message, each)
            ):
                return True
    return False


def expected_of(field: FieldDescriptor) -> str:
    """What a value of a field should be."""
    if field.message_type is not None:
        return WELL_KNOWN.get(field.message_type.full_name, f"a {field.message_type.name}")
    if field.enum_type is not None:
        return f"one of {', '.join(value.name for value in field.enum_type.values[:30])}"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return "bytes in base64"
    if field.cpp_type in EXPECTED:
        return EXPECTED[field.cpp_type]
    return f"a whole number of {64 if field.cpp_type in WIDE else 32} bits"


def expected_name(name: str, descriptor: Descriptor) -> str:
    """Which fields there are, the nearest first."""
    return expected_among(
        name, [field.json_name for field in descriptor.fields], f"a field of {descriptor.name}"
    )


def expected_among(name: str, names: list[str], what: str) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"{what}: perhaps {near[0]}"
    return f"{what}: {', '.join(sorted(names)[:30])}" if names else what


def text_of(value: Any) -> str:
    """A value as it may stand in a message."""
    if isinstance(value, str):
        return value[:200]
    try:
        return json.dumps(value)[:200]
    except (RecursionError, ValueError):
        return "…"
