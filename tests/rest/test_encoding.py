"""JSON out and in: what protobuf's own writer and reader say."""

import json
import math
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from mds.v1 import agent_report_pb2, variable_pb2

from metadata_server.api.rest.application import served_routes
from metadata_server.api.rest.decoding import json_of, message_of
from metadata_server.api.rest.encoding import json_bytes, tree_of
from metadata_server.domain.refused import Refused

MESSAGES = {
    message.full_name: message
    for route in served_routes()
    for message in (route.request, route.response)
}
MANY_KEYS = json.dumps({f"k{number}": 0 for number in range(100_000)})[:-1].encode()
MANY_KEYS += b', "k99999": 0}'
"""Looking each of them up among all would take minutes, in which nobody is answered."""
NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: -7,
    FieldDescriptor.CPPTYPE_INT64: 2**60,
    FieldDescriptor.CPPTYPE_UINT32: 2**32 - 1,
    FieldDescriptor.CPPTYPE_UINT64: 2**64 - 1,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.1,
    FieldDescriptor.CPPTYPE_BOOL: True,
}


def filled(descriptor: Descriptor, depth: int = 0) -> Any:
    """A message with something in each field, down to a depth."""
    message: Any = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            value = inner.fields_by_name["value"]
            if value.message_type is None:
                getattr(message, field.name)["kéy"] = scalar(value)
            else:
                getattr(message, field.name)["kéy"].CopyFrom(filled(value.message_type, depth + 1))
        elif inner is not None:
            if depth < 3:
                part = known(inner) or filled(inner, depth + 1)
                holder = getattr(message, field.name)
                (holder.add() if field.is_repeated else holder).CopyFrom(part)
        elif field.is_repeated:
            getattr(message, field.name).extend([scalar(field), scalar(field)])
        else:
            setattr(message, field.name, scalar(field))
    return message


def known(descriptor: Descriptor) -> Any:
    """A well-known type, with something in it."""
    if not descriptor.full_name.startswith("google."):
        return None
    message: Any = GetMessageClass(descriptor)()
    if descriptor.name == "FieldMask":
        message.paths.extend(["unit_server", "name"])
    elif descriptor.name in {"Timestamp", "Duration"}:
        message.seconds, message.nanos = 1_700_000_000, 5_000_000
    return message


def scalar(field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"\x00\xff"
    return NUMBERS.get(field.cpp_type, 'té"xt\u2028')


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_json_is_that_of_proto3_and_comes_back(name: str) -> None:
    message = filled(MESSAGES[name])
    assert tree_of(message) == json_format.MessageToDict(message)
    assert message_of(MESSAGES[name], json_of(json_bytes(message))) == message
    as_in_the_protocol = json_format.MessageToDict(message, preserving_proto_field_name=True)
    assert message_of(MESSAGES[name], as_in_the_protocol) == message


def test_what_is_no_number_and_no_name_is_written_as_proto3_does() -> None:
    report = agent_report_pb2.ProcessReport(cpu_load=math.nan)
    assert json.loads(json_bytes(report)) == {"cpuLoad": "NaN"}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "line 1, column 2"),
        (b'{\n "a": 1,\n}', "line 3, column 1"),
        (b'{"a": NaN}', "NaN is no number"),
        pytest.param(MANY_KEYS, "'k99999' is there twice", id="many keys, the last of them twice"),
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "Exceeds the limit"),
        (rb'{"a": ["\ud800"]}', "half of a surrogate pair"),
        (rb'{"\uDFFFx": 1}', "half of a surrogate pair"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(data: bytes, told: str) -> None:
    with pytest.raises(Refused, match="INVALID_JSON") as refused:
        json_of(data)
    assert told in refused.value.message


def test_both_halves_of_a_pair_are_a_character() -> None:
    assert json_of(rb'"\ud83d\ude00"') == "\U0001f600"


@pytest.mark.parametrize(
    ("tree", "field", "expected"),
    [
        ({"valu": "1"}, "valu", "perhaps value"),
        ({"value": 1}, "value", "a text"),
        ({"value": "\ud800"}, "value", "a text"),
        ({"createTime": "yesterday"}, "createTime", "a time like"),
        ({"revision": "x"}, "revision", "a whole number of 64 bits"),
        ({"revision": 2**70}, "revision", "a whole number of 64 bits"),
        ({"revision": 1.5}, "revision", "a whole number of 64 bits"),
        ({"revision": 1e999}, "revision", "a whole number of 64 bits"),
        ([], "body", "an object"),
        ("x", "body", "an object"),
        (None, "body", "an object"),
    ],
)
def test_what_is_no_message_is_told_by_field(tree: object, field: str, expected: str) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        message_of(variable_pb2.Variable.DESCRIPTOR, tree)
    (wrong,) = refused.value.fields
    assert wrong.field == field
    assert expected in wrong.expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "value", "labels", "controlUnit", "overrides", "drivers", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(MESSAGES)), JSON)
def test_any_json_is_a_message_or_refused(name: str, tree: object) -> None:
    refusals = []
    try:
        message_of(MESSAGES[name], tree)
    except Refused as refused:
        refusals.append(refused)
    for each in refusals:
        assert each.reason == "INVALID_FIELD"
        assert each.fields
