"""Attributes of a class of control units, and their values on a unit."""

import asyncio
import threading
from typing import Any

import pytest

from control_units import (
    ControlUnit,
    Direction,
    NotSet,
    NotWritable,
    OutOfRange,
    UnitFault,
    ValueType,
    WrongType,
    attribute,
)


class Supply(ControlUnit, implementation="::driver::Supply"):
    current = attribute(unit="A", direction=Direction.INPUT, minimum=-10, maximum="0x0A")
    readback = attribute(unit="A", minimum=-11, maximum=11)
    steps = attribute(type=int, default=0)
    trace = attribute(type=ValueType.INT16, shape=(0,))
    is_on = attribute(type=bool, direction=Direction.BIDIRECTIONAL, default=False)
    label = attribute(type=str, maximum_size_bytes=4)
    raw = attribute(type=bytes)
    slit = attribute(name="range_slit[mm]", default=1.5)


def test_the_dataset_is_what_the_class_declares_sorted_by_name() -> None:
    assert list(Supply.dataset) == [
        "current",
        "is_on",
        "label",
        "range_slit[mm]",
        "raw",
        "readback",
        "steps",
        "trace",
    ]
    assert Supply.dataset["current"].facets == {"unit": "A", "minimum": "-10", "maximum": "0x0A"}
    assert Supply.dataset["current"].type is ValueType.DOUBLE
    assert Supply.dataset["steps"].type is ValueType.INT64
    assert Supply.implementation == "::driver::Supply"


def test_a_class_has_its_own_name_unless_it_says_otherwise() -> None:
    class Plain(ControlUnit):
        pass

    assert Plain.implementation == "Plain"


def test_a_subclass_has_the_attributes_of_its_base_and_may_replace_them() -> None:
    class Better(Supply):
        steps = attribute(type=int, default=5)
        extra = attribute()

    assert set(Better.dataset) == {*Supply.dataset, "extra"}
    assert Better("B").steps == 5
    assert Supply("S").steps == 0


def test_an_attribute_without_a_value_says_so() -> None:
    with pytest.raises(NotSet, match="readback has no value yet"):
        _ = Supply("S").readback


def test_a_default_is_there_from_the_start_on_each_unit_apart() -> None:
    one, other = Supply("1"), Supply("2")
    one.steps = 3
    assert (one.steps, other.steps) == (3, 0)


def test_the_class_gives_the_attribute_itself() -> None:
    assert Supply.steps.description.name == "steps"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("readback", 3, 3.0),
        ("trace", (1, -2), [1, -2]),
        ("is_on", True, True),
        ("label", "µm", "µm"),
        ("raw", bytearray(b"x"), b"x"),
        ("range_slit[mm]", 2, 2.0),
    ],
)
def test_a_value_is_kept_in_its_type(name: str, value: object, kept: object) -> None:
    unit = Supply("S")
    unit.write(name, value)
    assert unit.read(name) == kept
    assert type(unit.read(name)) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "fault", "says"),
    [
        (
            "readback",
            11.5,
            OutOfRange,
            r"readback: 11.5 was given; it should be from -11.0 to 11.0",
        ),
        ("readback", float("nan"), OutOfRange, "readback: nan"),
        ("readback", "3", WrongType, "readback: '3' is no DOUBLE"),
        ("readback", True, WrongType, "True is no DOUBLE"),
        ("steps", 1.5, WrongType, "1.5 is no INT64"),
        ("steps", 1 << 63, OutOfRange, "does not fit INT64"),
        ("trace", [1, 40_000], OutOfRange, "40000 does not fit INT16"),
        ("trace", 1, WrongType, "its shape should be any"),
        ("is_on", 1, WrongType, "1 is no BOOL"),
        ("label", "µmµm", OutOfRange, "6 bytes were given; at most 4"),
        ("raw", "text", WrongType, "'text' is no BYTES"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_changes_nothing(
    name: str, value: object, fault: type[UnitFault], says: str
) -> None:
    unit = Supply("S")
    before = unit.values()
    with pytest.raises(fault, match=says):
        unit.write(name, value)
    assert unit.values() == before


def test_code_cannot_write_an_input() -> None:
    unit = Supply("S")
    with pytest.raises(NotWritable, match="current is an input"):
        unit.current = 1.0


async def test_nobody_sets_an_output() -> None:
    with pytest.raises(NotWritable, match="readback is an output"):
        await Supply("S").set("readback", 1.0)


class Recording(Supply):
    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.seen: list[tuple[str, object, bool]] = []

    def on_set(self, name: str, value: Any) -> None:
        is_loop = threading.current_thread() is threading.main_thread()
        self.seen.append((name, value, is_loop))
        if value == 9.0:
            raise RuntimeError("no")


async def test_a_set_point_is_told_to_the_unit_in_a_thread_when_on_set_is_plain() -> None:
    unit = Recording("R")
    await unit.set("current", 4)
    assert unit.current == 4.0
    assert unit.seen == [("current", 4.0, False)]


async def test_a_set_point_out_of_range_never_reaches_the_unit() -> None:
    unit = Recording("R")
    with pytest.raises(OutOfRange):
        await unit.set("current", 10.5)
    assert unit.seen == []


async def test_a_refused_set_point_leaves_the_value_before() -> None:
    unit = Recording("R")
    with pytest.raises(RuntimeError):
        await unit.set("current", 9)
    with pytest.raises(NotSet):
        _ = unit.current
    await unit.set("current", 2)
    with pytest.raises(RuntimeError):
        await unit.set("current", 9)
    assert unit.current == 2.0


def test_a_default_that_does_not_fit_is_refused_where_it_is_written() -> None:
    with pytest.raises(OutOfRange):
        attribute(default=3.0, maximum=2.0)


def test_an_unknown_type_or_facet_is_named() -> None:
    with pytest.raises(TypeError, match="type is <class 'set'>"):
        attribute(type=set)
    with pytest.raises(TypeError, match="'minimun' is no facet"):
        attribute(minimun=3)  # type: ignore[call-overload]


def test_a_class_cannot_take_a_name_that_control_units_need() -> None:
    with pytest.raises(TypeError, match="Bad defines state"):

        class Bad(ControlUnit):
            state = attribute(type=str)  # type: ignore[assignment]


def test_attributes_are_set_from_threads() -> None:
    unit = Supply("S")
    thread = threading.Thread(target=unit.write, args=("readback", 1.0))
    thread.start()
    thread.join()
    assert unit.readback == 1.0


async def test_set_points_of_one_unit_come_one_after_the_other() -> None:
    under_way = 0

    class Slow(Supply):
        def on_set(self, _name: str, _value: Any, /) -> None:
            nonlocal under_way
            under_way += 1
            most.append(under_way)
            barrier.wait(0.05)
            under_way -= 1

    most: list[int] = []
    barrier = threading.Event()
    unit = Slow("S")
    await asyncio.gather(unit.set("current", 1), unit.set("current", 2))
    assert max(most) == 1
