"""Comparisons of set-points: by value and not by spelling, exactly, and in linear time."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.facility import SavedUnit, SavedValue
from metadata_server.domain.refused import Refused
from metadata_server.domain.values.saved_values import Deviation, deviation
from metadata_server.domain.values.snapshot_comparison import (
    Outcome,
    SnapshotComparison,
    ValueDifference,
    compared,
    intended,
)
from metadata_server.domain.values.tolerance import Tolerance, tolerance_of

T = ValueType
EXACTLY = Tolerance()


def between(
    one: str, other: str, type_: T, *, other_type: T | None = None, tolerance: str = ""
) -> Deviation | None:
    right = type_ if other_type is None else other_type
    return deviation(
        SavedValue("a", type_, one), SavedValue("a", right, other), tolerance_of(tolerance)
    )


@pytest.mark.parametrize(
    ("one", "other", "type_", "other_type"),
    [
        ("1", "1.0", T.DOUBLE, T.DOUBLE),
        ("0x10", "16", T.INT32, T.INT32),
        ("0x10", "16.0", T.INT32, T.DOUBLE),
        ("5", "5.0", T.UNSPECIFIED, T.UNSPECIFIED),
        ("5", "5.0", T.UNSPECIFIED, T.DOUBLE),
        ("true", "1", T.BOOL, T.BOOL),
        ("true", "1", T.BOOL, T.INT8),
        ("[1, 2]", '["1.0", 2e0]', T.DOUBLE, T.DOUBLE),
        ("[1,2]", "[1.0, 2.0]", T.UNSPECIFIED, T.UNSPECIFIED),
        ('{"a": 1, "b": [2]}', '{"b":[2.0],"a":1}', T.JSON, T.JSON),
        ('["AA=="]', '[ "AA==" ]', T.BYTES, T.BYTES),
        ("AB==", "AA==", T.BYTES, T.BYTES),
    ],
)
def test_spelling_does_not_matter(one: str, other: str, type_: T, other_type: T) -> None:
    assert between(one, other, type_, other_type=other_type) is None
    assert between(other, one, other_type, other_type=type_) is None


@pytest.mark.parametrize(
    ("one", "other", "type_", "expected"),
    [
        ("1.5", "1.25", T.DOUBLE, Deviation(Decimal("0.25"), 1)),
        ("1.5", "1,25", T.STRING, Deviation(None, 1)),
        ("1", "1.0", T.STRING, Deviation(None, 1)),
        ("AA==", "AQ==", T.BYTES, Deviation(None, 1)),
        ("[1, 2, 3]", "[1, 5, 2]", T.INT32, Deviation(Decimal(3), 2)),
        ("[1, 2, 3]", "[1]", T.INT32, Deviation(None, 2)),
        ('{"a": true}', '{"a": 1}', T.JSON, Deviation(None, 1)),
        ('{"a": 1, "b": 2}', '{"a": 4, "c": 2}', T.JSON, Deviation(Decimal(3), 3)),
        ("[1]", "1", T.JSON, Deviation(None, 1)),
    ],
)
def test_what_differs_is_told_with_how_far(
    one: str, other: str, type_: T, expected: Deviation
) -> None:
    assert between(one, other, type_) == expected


def test_numbers_are_compared_exactly() -> None:
    one, other = "0.10000000000000000000000000000000000001", "0.1"
    assert between(one, other, T.DOUBLE) == Deviation(Decimal("1e-38"), 1)
    assert between(one, other, T.DOUBLE, tolerance="1e-38") is None
    assert between("0.3", "0.1", T.DOUBLE, tolerance="0.2") is None, "no binary fractions"
    far = between("1e308", "-1e-300", T.DOUBLE, tolerance="1e308")
    assert far == Deviation(Decimal(f"1{'0' * 308}.{'0' * 299}1"), 1)
    assert between("18446744073709551615", "18446744073709551614", T.UINT64) == Deviation(
        Decimal(1), 1
    )


def test_a_percentage_is_of_the_larger_number() -> None:
    assert between("100", "99", T.DOUBLE, tolerance="1%") is None
    assert between("99", "100", T.DOUBLE, tolerance="1%") is None
    assert between("-100", "-98.9", T.DOUBLE, tolerance="1%") == Deviation(Decimal("1.1"), 1)
    assert between("[100, 1]", "[99, 2]", T.DOUBLE, tolerance="1%") == Deviation(Decimal(1), 1)


@pytest.mark.parametrize("text", ["-1", "1 A", "%", "-1%", "nan", "1%%", "1e9999"])
def test_a_tolerance_is_a_number_or_a_percentage(text: str) -> None:
    with pytest.raises(Refused, match="tolerance is") as refused:
        tolerance_of(text)
    assert refused.value.reason == "INVALID_FIELD"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6), st.integers(0, 10**6))
def test_what_is_as_far_apart_as_the_tolerance_is_equal(number: Decimal, millionths: int) -> None:
    apart = Decimal(millionths).scaleb(-6)
    one, other = f"{number:f}", f"{number + apart:f}"
    if len(one) < 24:  # else the sum above is rounded
        assert between(one, other, T.DOUBLE, tolerance=f"{apart:f}") is None
        if millionths:
            less = Decimal(millionths - 1).scaleb(-6)
            assert between(one, other, T.DOUBLE, tolerance=f"{less:f}") == Deviation(apart, 1)


def values(**texts: str) -> tuple[SavedValue, ...]:
    return tuple(SavedValue(name, T.DOUBLE, text) for name, text in sorted(texts.items()))


def test_equal_values_are_only_counted_and_missing_ones_told() -> None:
    left = [SavedUnit("B", values(x="1", y="2", z="3")), SavedUnit("A", values(x="1"))]
    right = [SavedUnit("B", values(x="1.0", y="2.5", w="4")), SavedUnit("C", values(x="0"))]
    found = compared(left, right, EXACTLY)
    assert found.differences == [
        ValueDifference("A", "x", "1", None),
        ValueDifference("B", "w", None, "4"),
        ValueDifference("B", "y", "2", "2.5", Decimal("0.5"), 1),
        ValueDifference("B", "z", "3", None),
        ValueDifference("C", "x", None, "0"),
    ]
    assert found.counts == {
        Outcome.EQUAL: 1,
        Outcome.DIFFERENT: 1,
        Outcome.MISSING: 2,
        Outcome.MISSING_FROM_OTHER: 2,
    }


def test_what_is_intended_is_the_default_of_what_is_no_output() -> None:
    default = {"default_value": "1"}
    attributes = [
        Attribute("a", Direction.INPUT, T.DOUBLE, facets=default),
        Attribute("b", Direction.BIDIRECTIONAL, T.INT32, facets=default),
        Attribute("c", Direction.OUTPUT, T.DOUBLE, facets=default),
        Attribute("d", Direction.INPUT, T.DOUBLE),
    ]
    assert intended("U", attributes) == SavedUnit(
        "U", (SavedValue("a", T.DOUBLE, "1"), SavedValue("b", T.INT32, "1"))
    )


def test_a_hundred_thousand_values_cost_ten_times_what_ten_thousand_do() -> None:
    def facility(count: int, digits: str) -> list[SavedUnit]:
        ten = {f"a{number}": f"{number}.{digits}" for number in range(10)}
        return [SavedUnit(f"Z/U{number:06}", values(**ten)) for number in range(count // 10)]

    def compare(count: int) -> tuple[SnapshotComparison, float]:
        left, right = facility(count, "5"), facility(count, "50")
        start = time.process_time()
        found = compared(left, right, Tolerance(Decimal("0.1")))
        return found, time.process_time() - start

    few, of_few = min((compare(10_000) for _ in range(3)), key=lambda each: each[1])
    many, of_many = compare(100_000)
    assert few.counts == {Outcome.EQUAL: 10_000}
    assert many.counts == {Outcome.EQUAL: 100_000}
    assert of_many < 10 * of_few * 3
    assert of_many < 10


@pytest.mark.parametrize("depth", [101, 330, 600, 50_000])
@pytest.mark.parametrize("type_", [T.UNSPECIFIED, T.DOUBLE, T.JSON])
def test_what_is_nested_too_deeply_is_compared_as_text(depth: int, type_: T) -> None:
    one, other = ("[" * depth + number + "]" * depth for number in ("1", "2"))
    assert between(one, one, type_) is None
    as_texts = Deviation(None, 1)
    assert between(one, other, type_) == as_texts
    assert between(one, "1", type_) == as_texts
