"""Lists that are read beside each other, and what filters may go on with."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.filter_pb2 import FilterKey

from control_units.cli.looking.filters import offered
from control_units.cli.looking.reading import merged

IDS = st.sets(st.text("ABab/ä_-.", min_size=1, max_size=4), max_size=12)


async def each(things: Sequence[Any]) -> AsyncIterator[Any]:
    for thing in things:
        yield thing


def by_id(ids: set[str]) -> list[str]:
    return sorted(ids, key=str.encode)


@given(declared=IDS, heard_of=IDS)
async def test_each_unit_has_its_own_status_whoever_else_is_heard_of(
    declared: set[str], heard_of: set[str]
) -> None:
    units = [ControlUnit(name=f"control_units/{id}") for id in by_id(declared)]
    statuses = [
        ControlUnitStatus(name=f"control_unit_statuses/{id}", control_unit=f"control_units/{id}")
        for id in by_id(heard_of)
    ]
    pairs = merged(each(units), each(statuses), "control_unit", "control_unit_statuses")
    found = {unit.name: status.control_unit async for unit, status in pairs}
    assert list(found) == [unit.name for unit in units]
    for name, told in found.items():
        assert told == (name if name.partition("/")[2] in heard_of else "")


def test_a_term_goes_on_with_keys_and_then_with_words() -> None:
    keys = [
        FilterKey(name="state", words=["RUNNING", "STOPPED"]),
        FilterKey(name="since"),
        FilterKey(name="label", named=True),
    ]
    assert offered(keys, "s") == ["state", "since"]
    assert offered(keys, "-s") == ["-state", "-since"]
    assert offered(keys, "lab") == ["label."]
    assert offered(keys, "state=R") == ["state=RUNNING"]
    assert offered(keys, "-state:") == ["-state:RUNNING", "-state:STOPPED"]
    assert offered(keys, "since=") == []
