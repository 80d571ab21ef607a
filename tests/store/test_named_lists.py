"""Lists of what is named by id: as a page of the web asks for the statuses of its rows."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.store.life.status_lists import StatusRow, session_page, status_page
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.store.filters import CALLER, declare_all, report_some


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    chance = random.Random(3)
    with opened_store(database) as store:
        declare_all(store, chance, units=60)
        report_some(store, chance)
        yield store


def test_statuses_of_named_units_of_the_past_are_those_of_all(store: Store) -> None:
    then = store.read_now(lambda unit: unit.position.revision).value

    def drop_some(unit: UnitOfWork) -> None:
        for each in unit.resources.where(ControlUnit)[::7]:
            unit.delete(each)

    store.transact_now(drop_some, caller=CALLER)
    everything = Selection(kind=Kind.CONTROL_UNIT_STATUS, as_of=str(then))
    told = store.read_now(lambda unit: status_page(unit, everything, size=100)).value.items
    some = [row.status for row in told][5:50:9]
    named = Selection(
        kind=Kind.CONTROL_UNIT_STATUS,
        filter=f"id={','.join(each.id for each in some)}",
        as_of=str(then),
    )
    found = store.read_now(lambda unit: status_page(unit, named, size=100)).value.items
    assert [row.status for row in found] == some


def test_statuses_of_named_units_are_read_page_by_page(store: Store) -> None:
    everything = Selection(kind=Kind.CONTROL_UNIT_STATUS)
    told = store.read_now(lambda unit: status_page(unit, everything, size=100)).value.items
    ids = [row.status.id for row in told][3:40:3]
    named = replace(everything, filter=f"id={','.join([*reversed(ids), 'NOBODY', '0'])}")
    found: list[StatusRow] = []
    token = ""
    while token or not found:
        page = partial(status_page, selection=named, size=5, token=token)
        listing = store.read_now(page).value
        found, token = [*found, *listing.items], listing.next_page_token
        if len(found) == 5:  # the rest is told as it was at the first page
            store.transact_now(partial(delete_unit, id=ids[-1]), caller=CALLER)
    assert found == [
        row if i < 5 else row._replace(wanted=None) for i, row in enumerate(told[3:40:3])
    ]
    assert not store.read_now(
        partial(status_page, selection=replace(named, id_prefix="NOWHERE"))
    ).value.items
    last_first = replace(named, order_by="id desc")
    turned = store.read_now(partial(status_page, selection=last_first, size=100)).value.items
    assert [row.status.id for row in turned] == ids[-2::-1]


def delete_unit(unit: UnitOfWork, id: str) -> None:
    unit.delete(unit.resources.find(ControlUnit, [id], lock=True)[id])


def test_statuses_of_named_units_are_read_once(store: Store) -> None:
    some = [
        each.id for each in store.read_now(lambda unit: unit.resources.where(ControlUnit)).value
    ]
    named = Selection(kind=Kind.CONTROL_UNIT_STATUS, filter=f"id={','.join(some[:9])}")
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM control_unit" in statement:
            asked.append(statement)

    event.listen(store.database.reading, "before_cursor_execute", note)
    store.read_now(partial(status_page, selection=named, size=100))
    event.remove(store.database.reading, "before_cursor_execute", note)
    assert len(asked) == 1, asked


@pytest.mark.parametrize("as_of", ["", "2"])
def test_only_sessions_that_are_named_are_looked_at(store: Store, as_of: str) -> None:
    units = store.read_now(lambda unit: unit.resources.where(ControlUnit)).value
    servers = sorted({each.unit_server for each in units} - {""})
    selection = Selection(
        kind=Kind.UNIT_SERVER_STATUS, filter=f"id={servers[1]},{servers[0]}", as_of=as_of
    )
    looked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "name.from_revision" in statement:
            looked.append(statement)

    event.listen(store.database.reading, "before_cursor_execute", note)
    found = store.read_now(lambda unit: session_page(unit, selection, size=100)).value.items
    event.remove(store.database.reading, "before_cursor_execute", note)
    assert [each.unit_server for each in found] == servers[:2]
    assert looked
    assert all("name.id IN" in statement for statement in looked[:1])


@pytest.mark.parametrize(
    "more", [{}, {"state": State.RUNNING}, {"order_by": "since desc"}, {"as_of": "2"}]
)
def test_units_that_a_request_names_are_those_that_a_filter_names(
    store: Store, more: dict[str, Any]
) -> None:
    everything = Selection(kind=Kind.CONTROL_UNIT_STATUS, **more)
    ids = [row.status.id for row in rows_of(store, everything)][::2]
    assert ids
    asked = ("NOBODY", *reversed(ids))
    by_filter = rows_of(store, replace(everything, filter=f"id={','.join(asked)}"))
    assert rows_of(store, replace(everything, ids=asked)) == by_filter
    assert sorted(row.status.id for row in by_filter) == sorted(ids)
    of_one_state = replace(everything, ids=asked, filter="state=RUNNING")
    if "as_of" not in more:
        running = [row.status for row in by_filter if row.status.state is State.RUNNING]
        assert [row.status for row in rows_of(store, of_one_state)] == running


def rows_of(store: Store, selection: Selection) -> list[StatusRow]:
    return list(store.read_now(partial(status_page, selection=selection, size=100)).value.items)


@pytest.mark.parametrize("as_of", ["", "2"])
def test_sessions_that_a_request_names_are_told_alone(store: Store, as_of: str) -> None:
    everything = Selection(kind=Kind.UNIT_SERVER_STATUS, as_of=as_of)
    page = partial(session_page, selection=everything, size=100)
    some = store.read_now(page).value.items[1:9:3]
    ids = ("NOBODY", *(each.unit_server for each in reversed(some)))
    named = partial(session_page, selection=replace(everything, ids=ids), size=100)
    assert store.read_now(named).value.items == some


def sessions(store: Store, selection: Selection) -> list[str]:
    """Whose sessions are on all pages of a list."""
    found: list[str] = []
    token = ""
    while True:
        page = partial(session_page, selection=selection, size=1, token=token)
        listing = store.read_now(page).value
        found += [each.unit_server for each in listing.items]
        token = listing.next_page_token
        if not token:
            return found


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("contact", ["SIMPS_0", "c8:1f:66", "A/never-came", "BTF/CORRECTORS"]),
        ("host", ["A/never-came", "SIMPS_0", "c8:1f:66", "BTF/CORRECTORS"]),
        ("version", ["A/never-came", "BTF/CORRECTORS", "c8:1f:66", "SIMPS_0"]),
        ("id", ["A/never-came", "BTF/CORRECTORS", "SIMPS_0", "c8:1f:66"]),
    ],
)
def test_sessions_are_sorted_by_what_they_tell(store: Store, order: str, ids: list[str]) -> None:
    selection = Selection(kind=Kind.UNIT_SERVER_STATUS, order_by=order)
    assert sessions(store, selection) == ids
    opposite = replace(selection, order_by=f"{order} desc")
    assert sessions(store, opposite) == ids[::-1]
    assert sessions(store, replace(opposite, filter="version:*.1 host:n*")) == [
        id for id in ids[::-1] if id != "A/never-came"
    ]
    if order != "contact":
        then = store.read_now(lambda unit: unit.position.revision).value
        assert sessions(store, replace(opposite, as_of=str(then))) == ids[::-1]
