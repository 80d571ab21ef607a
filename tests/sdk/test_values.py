"""Texts of the protocol as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds.v1 import dataset_pb2

from control_units.faults import OutOfRange, WrongType
from control_units.values import ValueType, checked, parse, whole_range, written

WHOLE = [each for each in ValueType if each.is_whole]


def test_types_are_those_of_the_protocol_number_for_number() -> None:
    theirs = {name.removeprefix("VALUE_TYPE_"): n for name, n in dataset_pb2.ValueType.items()}
    assert {each.name: each.value for each in ValueType} == theirs


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("0x5A", ValueType.UINT8, 90),
        ("-0x10", ValueType.INT16, -16),
        ("007", ValueType.INT32, 7),
        ("1.50", ValueType.DOUBLE, 1.5),
        ("0x10", ValueType.DOUBLE, 16.0),
        ("1e-3", ValueType.FLOAT, 0.001),
        ("true", ValueType.BOOL, True),
        ("0", ValueType.BOOL, False),
        ("0x5A", ValueType.STRING, "0x5A"),
        ("AQI=", ValueType.BYTES, b"\x01\x02"),
        ('{"a": [1]}', ValueType.JSON, {"a": [1]}),
    ],
)
def test_a_text_is_read_by_its_type(text: str, type: ValueType, value: object) -> None:
    assert parse(text, type) == value


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("1.5", ValueType.INT32),
        ("", ValueType.INT32),
        ("0x", ValueType.UINT8),
        ("one", ValueType.DOUBLE),
        ("inf", ValueType.DOUBLE),
        ("1_0", ValueType.DOUBLE),
        (" 1", ValueType.DOUBLE),
        ("1_0", ValueType.INT32),
        ("True", ValueType.BOOL),
        ("***", ValueType.BYTES),
        ("{", ValueType.JSON),
    ],
)
def test_a_text_of_another_type_is_named(text: str, type: ValueType) -> None:
    with pytest.raises(WrongType, match=type.name):
        parse(text, type)


def test_an_array_is_a_json_list_whose_elements_may_be_texts() -> None:
    assert parse('[1, "0x10"]', ValueType.INT32, (2,)) == [1, 16]
    assert parse('["a", {"b": 1}]', ValueType.JSON, (0,)) == ["a", {"b": 1}]
    assert parse("[[1.5], []]", ValueType.DOUBLE, (2, 0)) == [[1.5], []]
    with pytest.raises(WrongType, match="no JSON list"):
        parse("1, 2", ValueType.INT32, (2,))


@given(type=st.sampled_from(WHOLE), beyond=st.integers(1, 1 << 70))
def test_a_whole_type_holds_its_range_and_nothing_beyond(type: ValueType, beyond: int) -> None:
    smallest, largest = whole_range(type)
    assert checked(smallest, type) == smallest
    assert checked(largest, type) == largest
    for outside in (smallest - beyond, largest + beyond):
        with pytest.raises(OutOfRange):
            checked(outside, type)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_code_writes_as_a_default_reads_as_the_same_number(number: float) -> None:
    assert parse(written(number, ValueType.DOUBLE), ValueType.DOUBLE) == number


@given(st.one_of(st.booleans(), st.lists(st.integers(-5, 5))))
def test_what_code_writes_as_json_reads_as_the_same(value: object) -> None:
    assert parse(written(value, ValueType.JSON), ValueType.JSON) == value


def test_a_shape_is_checked_in_each_dimension() -> None:
    assert checked([[1, 2], [3, 4]], ValueType.INT8, (2, 0)) == [[1, 2], [3, 4]]
    with pytest.raises(WrongType, match="A list of 1 was given"):
        checked([[1]], ValueType.INT8, (2, 0))
    with pytest.raises(WrongType, match="its shape should be any"):
        checked([1, 2], ValueType.INT8, (2, 0))
