"""What is asked of units by a thousand maintenances, or templates, is answered all the same."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template, VersionMark, VersionState
from metadata_server.domain.life.condition import IN_MAINTENANCE, OUT_OF_DATE
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.page import Selection
from metadata_server.store.life.overview import read_overview
from metadata_server.store.life.status_lists import status_page
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.store.filtered_lists import counted, listed
from tests.store.filters import CALLER

MANY = 1_100
PREFIXES = tuple(f"R/{number:04}/" for number in range(MANY))
COVERED = ["R/0000/A", "R/0999/A", f"R/{MANY - 1:04}/A"]
OTHERS = ["R/0999", "S/A"]
UNITS = Selection(kind=Kind.CONTROL_UNIT)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    def declare(unit: UnitOfWork) -> None:
        unit.save(Template(id="T", version=1))
        for id in (*COVERED, *OTHERS):
            unit.save(ControlUnit(id=id, template="T", template_version=1))

    with opened_store(database) as store:
        store.transact_now(declare, caller=CALLER)
        yield store


def in_one(prefixes: tuple[str, ...]) -> list[Maintenance]:
    return [Maintenance(id="all", id_prefixes=prefixes)]


def in_many(prefixes: tuple[str, ...]) -> list[Maintenance]:
    return [Maintenance(id=f"m{n}", id_prefixes=(each,)) for n, each in enumerate(prefixes)]


@pytest.mark.parametrize("declared", [in_one(PREFIXES), in_many(PREFIXES)], ids=["one", "many"])
def test_units_are_in_maintenance_by_any_number_of_prefixes(
    store: Store, declared: list[Maintenance]
) -> None:
    def begin(unit: UnitOfWork) -> None:
        for each in declared:
            unit.save(each)

    store.transact_now(begin, caller=CALLER)
    for filter in ("maintenance", f"condition:{IN_MAINTENANCE}"):
        assert listed(store, replace(UNITS, filter=filter)) == COVERED, filter
        assert listed(store, replace(UNITS, filter=f"-{filter}")) == OTHERS, filter
    everything = sorted([*COVERED, *OTHERS])
    assert listed(store, replace(UNITS, filter="health=GOOD")) == everything
    assert listed(store, replace(UNITS, order_by="holds_since desc"))[:3] == COVERED[::-1]
    named = Selection(kind=Kind.CONTROL_UNIT_STATUS, condition=IN_MAINTENANCE)
    page = store.read_now(partial(status_page, selection=named, size=9)).value
    assert [row.status.id for row in page.items] == COVERED
    seen = store.read_now(partial(read_overview, abnormal_limit=9)).value
    assert seen.tally.in_maintenance == len(COVERED)


def test_units_are_behind_any_number_of_templates(store: Store) -> None:
    marks = (VersionMark(1, VersionState.PUBLISHED), VersionMark(2, VersionState.PUBLISHED))

    def fall_behind(unit: UnitOfWork) -> None:
        for number in range(MANY):
            unit.save(Template(id=f"T{number}", version=2, versions=marks))
            behind = ControlUnit(id=f"B/{number:04}", template=f"T{number}", template_version=1)
            unit.save(behind)

    store.transact_now(fall_behind, caller=CALLER)
    late = f"condition:{OUT_OF_DATE}"
    assert counted(store, Kind.CONTROL_UNIT, late) == MANY
    assert listed(store, replace(UNITS, filter=f"-{late}")) == sorted([*COVERED, *OTHERS])
    assert len(listed(store, replace(UNITS, filter=late), size=500)) == MANY


def test_a_prefix_within_another_is_not_asked_for_again(store: Store) -> None:
    prefixes = ("R/", *PREFIXES, "S/A/B")

    def begin(unit: UnitOfWork) -> None:
        unit.save(Maintenance(id="all", id_prefixes=prefixes))

    store.transact_now(begin, caller=CALLER)
    wanted = sorted([*COVERED, "R/0999"])
    assert listed(store, replace(UNITS, filter="maintenance")) == wanted
