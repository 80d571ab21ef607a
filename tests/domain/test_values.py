"""Texts read as values: exactly, and with a word on what would be right."""

import base64
import json
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.values import WHOLE_RANGES, Fault, number, parse

T = ValueType


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("true", T.BOOL, True),
        ("0", T.BOOL, False),
        ("255", T.UINT8, 255),
        ("0xfF", T.UINT8, 255),
        ("-0x80", T.INT8, -128),
        ("+007", T.INT32, 7),
        ("18446744073709551615", T.UINT64, 2**64 - 1),
        ("0.1", T.DOUBLE, Decimal("0.1")),
        (".0114440918", T.DOUBLE, Decimal("0.0114440918")),
        ("1.5258789E-3", T.FLOAT, Decimal("0.0015258789")),
        ("0x5A", T.DOUBLE, Decimal(90)),
        ("5.", T.DOUBLE, Decimal(5)),
        ("", T.STRING, ""),
        ("AAH/", T.BYTES, b"\x00\x01\xff"),
        ('{"a": [0.10]}', T.JSON, {"a": [Decimal("0.10")]}),
        ("null", T.JSON, None),
        ("anything at all", T.UNSPECIFIED, "anything at all"),
    ],
)
def test_a_good_text_is_read_as_its_value(text: str, type: ValueType, value: object) -> None:
    found = parse(text, type)
    assert found == value
    assert isinstance(found, value.__class__)


@pytest.mark.parametrize(
    ("text", "type", "expected"),
    [
        ("yes", T.BOOL, "true or false"),
        ("True", T.BOOL, "true or false"),
        ("256", T.UINT8, "a whole number from 0 to 255, decimal or 0x…"),
        ("-129", T.INT8, "a whole number from -128 to 127, decimal or 0x…"),
        ("1.0", T.INT32, "a whole number from -2147483648 to 2147483647, decimal or 0x…"),
        ("1_000", T.INT32, "a whole number from -2147483648 to 2147483647, decimal or 0x…"),
        ("٣", T.UINT8, "a whole number from 0 to 255, decimal or 0x…"),
        (" 1", T.DOUBLE, "a number such as 1.5, -2e-3 or 0x5A"),
        ("", T.DOUBLE, "a number such as 1.5, -2e-3 or 0x5A"),
        ("nan", T.DOUBLE, "a number such as 1.5, -2e-3 or 0x5A"),
        ("Infinity", T.FLOAT, "a number such as 1.5, -2e-3 or 0x5A"),
        ("9" * 2000, T.DOUBLE, "a number such as 1.5, -2e-3 or 0x5A"),
        ("1e309", T.DOUBLE, "a number that 64 bits can hold"),
        ("3.5e38", T.FLOAT, "a number that 32 bits can hold"),
        ("0x" + "f" * 300, T.DOUBLE, "a number that 64 bits can hold"),
        ("=", T.BYTES, "bytes written as base64"),
        ("é", T.BYTES, "bytes written as base64"),
        ("{'a': 1}", T.JSON, "JSON; Expecting property name enclosed in double quotes at line 1"),
        ("[NaN]", T.JSON, "JSON; NaN is not JSON"),
        ("[" * 100_000, T.JSON, "JSON that is nested less deeply"),
        ("[" * 101 + "]" * 101, T.JSON, "JSON that is nested less deeply"),
        ('{"a":' * 101 + "1" + "}" * 101, T.JSON, "JSON that is nested less deeply"),
    ],
)
def test_a_wrong_text_is_answered_with_what_would_be_right(
    text: str, type: ValueType, expected: str
) -> None:
    found = parse(text, type)
    assert isinstance(found, Fault)
    assert found.expected.startswith(expected)


@pytest.mark.parametrize("shape", [(3,), (0,), None])
def test_an_array_is_a_json_list_of_texts_or_numbers(shape: tuple[int, ...] | None) -> None:
    assert parse('[1, "0x10", -3]', T.INT16, shape=shape) == [1, 16, -3]


def test_dimensions_nest() -> None:
    assert parse("[[0.10, 2], [3, 4]]", T.DOUBLE, shape=(2, 0)) == [
        [Decimal("0.10"), Decimal(2)],
        [Decimal(3), Decimal(4)],
    ]
    assert parse("[[true], [0]]", T.BOOL, shape=(0, 1)) == [[True], [False]]
    assert parse('[{"a": 1}, [2]]', T.JSON, shape=(2,)) == [{"a": "1"}, ["2"]]


@pytest.mark.parametrize(
    ("text", "type", "shape", "expected"),
    [
        ("1", T.INT8, (2,), "a JSON list of 2"),
        ("[1, 2, 3]", T.INT8, (2,), "a JSON list of 2, not of 3"),
        ("[1, 300]", T.UINT8, (0,), "in element 1: a whole number from 0 to 255"),
        ("[[1], [2, 3]]", T.INT8, (2, 1), "in element 1: a JSON list of 1, not of 2"),
        ("[1, [2]]", T.INT8, (2,), "in element 1: a value of type INT8"),
        ("[true]", T.INT8, (1,), "in element 0: a value of type INT8, not true or false"),
        ("[null]", T.DOUBLE, (1,), "in element 0: a value of type DOUBLE"),
        ("[1]", T.STRING, (1,), "in element 0: a value of type STRING in quotation marks"),
        ("[1", T.INT8, (1,), "JSON;"),
    ],
)
def test_an_array_that_is_wrong_says_where(
    text: str, type: ValueType, shape: tuple[int, ...], expected: str
) -> None:
    found = parse(text, type, shape=shape)
    assert isinstance(found, Fault)
    assert found.expected.startswith(expected)


def test_a_size_counts_bytes_not_characters() -> None:
    assert parse("µµ", T.STRING, maximum_size_bytes=4) == "µµ"
    assert parse("µµ", T.STRING, maximum_size_bytes=3) == Fault("at most 3 bytes, not 4")
    encoded = base64.b64encode(b"12345").decode()
    assert parse(encoded, T.BYTES, maximum_size_bytes=4) == Fault("at most 4 bytes, not 5")
    assert parse('["ab", "abc"]', T.STRING, shape=(0,), maximum_size_bytes=2) == Fault(
        "in element 1: at most 2 bytes, not 3"
    )


@given(st.sampled_from(sorted(WHOLE_RANGES)), st.integers(-(2**65), 2**65))
def test_whole_numbers_are_taken_exactly_in_the_range_of_their_type(
    type: ValueType, size: int
) -> None:
    smallest, largest = WHOLE_RANGES[type]
    for text in (str(size), hex(size)):
        found = parse(text, type)
        assert found == size if smallest <= size <= largest else isinstance(found, Fault)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_back_as_it_is(size: float) -> None:
    found = parse(repr(size), T.DOUBLE)
    assert isinstance(found, Decimal)
    assert float(found) == size


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_float_fits_a_float(size: float) -> None:
    assert struct.unpack("<f", struct.pack("<f", size))[0] == size
    assert not isinstance(parse(repr(size), T.FLOAT), Fault)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_decimal_fractions_are_exact(size: Decimal) -> None:
    found = number(format(size, "f"))
    assert found == size


@given(st.text(), st.sampled_from(list(ValueType)), st.sampled_from([(), (2,), (0, 1), None]))
def test_any_text_is_a_value_or_a_fault(
    text: str, type: ValueType, shape: tuple[int, ...] | None
) -> None:
    found = parse(text, type, shape=shape, maximum_size_bytes=10)
    assert not isinstance(found, Fault) or found.expected


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_VALUES, st.sampled_from(list(ValueType)), st.sampled_from([(2,), (0, 1), None]))
def test_any_json_is_a_value_or_a_fault(
    document: object, type: ValueType, shape: tuple[int, ...] | None
) -> None:
    found = parse(json.dumps(document), type, shape=shape)
    assert not isinstance(found, Fault) or found.expected


@pytest.mark.parametrize("type", [T.DOUBLE, T.JSON, T.STRING])
@pytest.mark.parametrize("depth", [101, 330, 600, 900, 50_000])
def test_an_array_is_nested_a_hundred_deep_at_most(type: ValueType, depth: int) -> None:
    text = "[" * depth + '"1"' + "]" * depth
    for shape in ((0,), (0,) * depth):
        found = parse(text, type, shape=shape)
        assert isinstance(found, Fault)
        assert found.expected == "JSON that is nested less deeply"


def test_json_may_be_nested_a_hundred_deep_and_as_wide_as_it_is() -> None:
    deep = '{"a":[' * 50 + "1" + "]}" * 50
    assert parse(deep, T.JSON) == json.loads(deep)
    wide = json.dumps([[number] for number in range(1_000)])
    assert parse(wide, T.JSON) == json.loads(wide)
    assert isinstance(parse("[" * 100 + "1" + "]" * 100, T.DOUBLE, shape=(0,) * 100), list)
