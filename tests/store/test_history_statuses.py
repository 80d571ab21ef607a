"""Lists of statuses as of a revision."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select

from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.page import PageStart, Selection, token_of
from metadata_server.domain.refused import Refused
from metadata_server.store import schema
from metadata_server.store.life.status_images import session_image
from metadata_server.store.life.status_lists import session_page, status_page
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.past.retention import trim_kind
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows
from tests.stages.opened_store import opened_store

CALLER = Caller(principal=Principal("tester"), method="Tests.Change")
SERVER = "SIMPS_0"
IDS = ["DAFNE/A", "DAFNE/B", "DAFNE/C", "BTF/A"]
STATUSES = Selection(kind=Kind.CONTROL_UNIT_STATUS)
SESSIONS = Selection(kind=Kind.UNIT_SERVER_STATUS)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with opened_store(database) as store:
        declare(store)
        begin_session(store)
        yield store


def declare(store: Store) -> None:
    def work(unit: UnitOfWork) -> None:
        unit.save(UnitServer(id=SERVER))
        unit.save(Template(id="T", version=1))
        for name in IDS:
            unit.save(ControlUnit(id=name, template="T", template_version=1, unit_server=SERVER))

    store.transact_now(work, caller=CALLER)


def report(store: Store, **states: State) -> Position:
    """Units, by the last segment of ids in DAFNE, say what they are."""

    def work(unit: UnitOfWork) -> None:
        keys = {name: unit.keys.key_of(Kind.CONTROL_UNIT, f"DAFNE/{name}") for name in states}
        before = statuses_of(unit, keys.values(), lock=True)
        after = []
        for name, state in states.items():
            empty = ControlUnitStatus(
                id=f"DAFNE/{name}", key=keys[name], unit_server=SERVER, session="session-1"
            )
            status = before.get(keys[name], empty)
            after.append(
                replace(status, state=state, state_time_us=unit.now_us, message=f"I am {state}")
            )
        save_statuses(unit, after)

    return store.transact_now(work).position


def begin_session(store: Store) -> None:
    def work(unit: UnitOfWork) -> None:
        row = {
            "id": "session-1",
            "unit_server_key": unit.keys.key_of(Kind.UNIT_SERVER, SERVER),
            "incarnation": "first",
            "host": "here",
            "address": "",
            "pid": 12,
            "version": "1",
            "classes": "{}",
            "start_time_us": unit.now_us,
        }
        unit.connection.execute(schema.session.insert().values(row))

    store.transact_now(work)


def contact(store: Store, contact: Contact) -> Position:
    """The session of the unit server is told to have that contact, or to have ended."""

    def work(unit: UnitOfWork) -> None:
        key = unit.keys.key_of(Kind.UNIT_SERVER, SERVER)
        moment = unit.claim()
        end = (moment.now_us, EndReason.LEASE_ENDED) if contact is Contact.LOST else None
        image = session_image(contact, moment.now_us, end)
        unit.add_status_image(Kind.UNIT_SERVER_STATUS, key, "session-1", image)
        row = {"key": key, "session": "session-1", "revision": moment.position.revision}
        upsert_rows(unit.connection, schema.unit_server_status, [row])

    return store.transact_now(work).position


def states(
    store: Store, selection: Selection, position: Position, *, size: int = 2
) -> dict[str, State]:
    """States by id from all pages of a list as of a position."""
    token = token_of(selection, PageStart(position))
    found: dict[str, State] = {}
    while token:
        page = partial(status_page, selection=selection, size=size, token=token)
        listing = store.read_now(page).value
        found |= {row.status.id: row.status.state for row in listing.items}
        token = listing.next_page_token
    return found


NOBODY_SPOKE = dict.fromkeys(sorted(IDS), State.UNSPECIFIED)


def test_units_that_never_spoke_have_an_empty_status(store: Store) -> None:
    listing = store.read_now(lambda unit: status_page(unit, STATUSES)).value
    assert {row.status.id: row.status.state for row in listing.items} == NOBODY_SPOKE
    assert [row.status.id for row in listing.items] == sorted(IDS)


def test_statuses_are_as_of_the_first_page(store: Store) -> None:
    first = report(store, A=State.RUNNING)
    second = report(store, A=State.FATAL_ERROR, B=State.LOADED)
    third = report(store, B=State.RUNNING)
    running = {"DAFNE/A": State.RUNNING}
    erring = {"DAFNE/A": State.FATAL_ERROR}
    assert states(store, STATUSES, first) == NOBODY_SPOKE | running
    assert states(store, STATUSES, second) == NOBODY_SPOKE | erring | {"DAFNE/B": State.LOADED}
    assert states(store, STATUSES, third) == NOBODY_SPOKE | erring | {"DAFNE/B": State.RUNNING}


def test_a_status_of_the_past_is_whole(store: Store) -> None:
    at = report(store, A=State.RUNNING)
    then = store.read_now(lambda unit: status_page(unit, STATUSES)).value.items
    report(store, A=State.FATAL_ERROR)
    token = token_of(STATUSES, PageStart(at))
    past = store.read_now(lambda unit: status_page(unit, STATUSES, token=token)).value.items
    assert [row.status for row in past] == [row.status for row in then]


def test_statuses_are_filtered_by_what_they_were(store: Store) -> None:
    at = report(store, A=State.RUNNING, B=State.LOADED)
    running = replace(STATUSES, state=State.RUNNING)
    hosted = replace(STATUSES, unit_server=SERVER, id_prefix="DAFNE/")
    seen_at_once = states(store, running, at), states(store, hosted, at)
    report(store, A=State.LOADED, B=State.RUNNING, C=State.RUNNING)
    seen_later = states(store, running, at), states(store, hosted, at)
    assert seen_at_once == (
        {"DAFNE/A": State.RUNNING},
        {
            "DAFNE/A": State.RUNNING,
            "DAFNE/B": State.LOADED,
            "DAFNE/C": State.UNSPECIFIED,  # declared for it, and not heard of yet
        },
    )
    assert seen_later == seen_at_once


def test_the_status_of_a_deleted_unit_is_still_told(store: Store) -> None:
    at = report(store, A=State.RUNNING)

    def delete(unit: UnitOfWork) -> None:
        gone = unit.resources.get(ControlUnit, "DAFNE/A")
        unit.delete(gone)
        table = schema.control_unit_status
        unit.connection.execute(table.delete().where(table.c.key == gone.meta.key))

    store.transact_now(delete, caller=CALLER)
    assert states(store, STATUSES, at)["DAFNE/A"] is State.RUNNING


def test_sessions_are_as_of_the_first_page(store: Store) -> None:
    never = store.read_now(lambda unit: session_page(unit, SESSIONS)).value
    contact(store, Contact.ALIVE)
    report(store, A=State.RUNNING)
    alive = store.read_now(lambda unit: session_page(unit, SESSIONS)).value
    contact(store, Contact.LOST)

    def again(position: Position) -> list[tuple[str, str, Contact, bool]]:
        token = token_of(SESSIONS, PageStart(position))
        page = store.read_now(lambda unit: session_page(unit, SESSIONS, token=token)).value
        return [(s.unit_server, s.id, s.contact, s.end_time_us is None) for s in page.items]

    assert again(never.position) == [(SERVER, "", Contact.NONE, True)]
    assert again(alive.position) == [(SERVER, "session-1", Contact.ALIVE, True)]


def test_of_a_unit_that_has_been_quiet_for_long_the_last_status_is_kept(store: Store) -> None:
    early = report(store, A=State.LOADED)
    quiet = report(store, A=State.RUNNING)
    horizon = report(store, B=State.LOADED)
    report(store, A=State.FATAL_ERROR, B=State.RUNNING)
    images = schema.status_history.c
    time = select(images.time_us).where(images.revision == horizon.revision)

    def trim(unit: UnitOfWork) -> int:
        trim_kind(unit, Kind.CONTROL_UNIT_STATUS, unit.connection.execute(time).scalar_one())
        left = select(images.revision).order_by(images.revision)
        return int(unit.connection.execute(left).scalars().first() or 0)

    assert store.transact_now(trim).value == quiet.revision
    seen = states(store, STATUSES, horizon)
    assert (seen["DAFNE/A"], seen["DAFNE/B"]) == (State.RUNNING, State.LOADED)
    for position in (early, quiet):
        with pytest.raises(Refused, match="HISTORY_TRIMMED"):
            states(store, STATUSES, position)
