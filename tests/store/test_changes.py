"""What people declare and what units report, as one sequence of changes."""

import random
from dataclasses import replace
from functools import partial

import pytest

from metadata_server.domain.change import Action, Caller, Change
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.statuses import save_statuses
from metadata_server.store.past.changes import ALL_KINDS, STATUS_KINDS, changes_after
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

UNITS = [f"A/{number}" for number in range(6)]


@pytest.fixture
def facility(store: Store, caller: Caller) -> Store:
    """A unit server in session, with units that should run."""

    def declare(unit: UnitOfWork) -> None:
        unit.save(Template(id="T", version=1))
        unit.save(UnitServer(id="S"))
        for name in UNITS:
            unit.save(
                ControlUnit(
                    id=name,
                    template="T",
                    template_version=1,
                    unit_server="S",
                    desired_state=State.RUNNING,
                )
            )

    def begin(unit: UnitOfWork) -> None:
        key = unit.keys.key_of(Kind.UNIT_SERVER, "S")
        begin_session(unit, Session(id="run", unit_server="S", unit_server_key=key), lease_us=10**8)

    store.transact_now(declare, caller=caller)
    store.transact_now(begin)
    return store


def report(store: Store, *names: str, state: State = State.RUNNING) -> int:
    """The revision of what units report."""

    def work(unit: UnitOfWork) -> None:
        keys = unit.keys.find(Kind.CONTROL_UNIT, names)
        save_statuses(
            unit,
            [
                ControlUnitStatus(
                    id=name,
                    key=keys[name],
                    unit_server="S",
                    session="run",
                    state=state,
                    state_time_us=unit.now_us,
                )
                for name in names
            ],
        )

    return store.transact_now(work).position.revision


def edit(store: Store, caller: Caller, *names: str) -> int:
    def work(unit: UnitOfWork) -> None:
        for found in unit.resources.find(ControlUnit, names, lock=True).values():
            unit.save(found)

    return store.transact_now(work, caller=caller).position.revision


def in_pieces(store: Store, *, limit: int, kinds: frozenset[Kind] = ALL_KINDS) -> list[Change]:
    """All changes, read piece by piece."""
    found: list[Change] = []
    revision, present = 0, -1
    while revision != present:
        begun = revision
        answer = store.read_now(partial(changes_after, revision=begun, limit=limit, kinds=kinds))
        changes, revision = answer.value
        present = answer.position.revision
        assert revision > begun, "every piece leads on"
        revisions = {change.revision for change in changes}
        assert not revisions & {change.revision for change in found}, "a revision was split"
        found += changes
    return found


def live_through(store: Store, caller: Caller) -> dict[int, set[str]]:
    """People and units change things at random; ids by revision."""
    chance, done = random.Random(5), {}
    for _ in range(30):
        names = chance.sample(UNITS, chance.randint(1, len(UNITS)))
        if chance.random() < 0.5:
            done[report(store, *names, state=chance.choice(list(State)))] = set(names)
        else:
            done[edit(store, caller, *names)] = set(names)
    return done


@pytest.mark.parametrize("limit", [1, 4, 7, 1000])
def test_both_histories_are_one_sequence(facility: Store, caller: Caller, limit: int) -> None:
    done = live_through(facility, caller)
    changes = [change for change in in_pieces(facility, limit=limit) if change.revision in done]
    places = [(change.revision, change.ordinal) for change in changes]
    assert places == sorted(places)
    assert len(places) == len(set(places))
    told: dict[int, set[str]] = {}
    for change in changes:
        told.setdefault(change.revision, set()).add(change.id)
    assert told == done


@pytest.mark.parametrize("kinds", [STATUS_KINDS, frozenset({Kind.CONTROL_UNIT}), ALL_KINDS])
def test_kinds_that_nobody_wants_are_passed_over(
    facility: Store, caller: Caller, kinds: frozenset[Kind]
) -> None:
    live_through(facility, caller)
    everything = in_pieces(facility, limit=1000)
    wanted = in_pieces(facility, limit=5, kinds=kinds)
    assert wanted == [change for change in everything if change.kind in kinds]
    assert wanted


def test_a_change_is_whole(facility: Store, caller: Caller) -> None:
    edited = edit(facility, caller, "A/1")
    reported = report(facility, "A/2", state=State.FATAL_ERROR)
    changes = {change.revision: change for change in in_pieces(facility, limit=1000)}
    edition, word = changes[edited], changes[reported]
    assert isinstance(edition.subject, ControlUnit)
    assert edition.subject.meta.revision == edited
    assert (edition.subject.unit_server, edition.action) == ("S", Action.UPDATED)
    assert (edition.author, edition.reason) == ("tester", "a test")
    assert isinstance(word.subject, ControlUnitStatus)
    assert (word.subject.unit_server, word.subject.state) == ("S", State.FATAL_ERROR)
    assert (word.contact, word.health) == (Contact.ALIVE, Health.BAD)
    assert (word.author, word.reason) == ("", "")
    assert 0 < edition.time_us < word.time_us


def test_a_session_is_told_with_its_contact(facility: Store) -> None:
    declared, begun = in_pieces(facility, limit=10, kinds=frozenset({Kind.UNIT_SERVER_STATUS}))
    assert (declared.action, begun.action) == (Action.CREATED, Action.UPDATED)
    assert isinstance(begun.subject, Session)
    assert (begun.id, begun.subject.id, begun.contact) == ("S", "run", Contact.ALIVE)


def test_what_is_deleted_is_told_by_its_last_id(facility: Store, caller: Caller) -> None:
    def work(unit: UnitOfWork) -> None:
        unit.delete(unit.resources.get(ControlUnit, "A/3"))

    revision = facility.transact_now(work, caller=caller).position.revision
    last = in_pieces(facility, limit=1000)[-1]
    assert (last.revision, last.id, last.action) == (revision, "A/3", Action.DELETED)
    assert last.subject is None


STATUSES = frozenset({Kind.CONTROL_UNIT_STATUS})


def status_changes(store: Store, id: str) -> list[tuple[Action, str, str, State]]:
    """What was told of one status: what happened, its id before and after, and its state."""
    found = []
    for change in in_pieces(store, limit=3, kinds=STATUSES):
        if id in (change.id, change.id_before):
            assert isinstance(change.subject, ControlUnitStatus | None)
            state = change.subject.state if change.subject else State.UNSPECIFIED
            found.append((change.action, change.id_before, change.id, state))
    return found


def test_a_status_comes_and_goes_with_its_unit(facility: Store, caller: Caller) -> None:
    report(facility, "A/3")

    def delete(unit: UnitOfWork) -> None:
        unit.delete(unit.resources.get(ControlUnit, "A/3"))

    facility.transact_now(delete, caller=caller)
    assert status_changes(facility, "A/3") == [
        (Action.CREATED, "", "A/3", State.UNSPECIFIED),
        (Action.UPDATED, "A/3", "A/3", State.RUNNING),
        (Action.DELETED, "A/3", "A/3", State.UNSPECIFIED),
    ]


def test_a_deletion_is_told_as_such_also_where_its_unit_reports_in_it(
    facility: Store, caller: Caller
) -> None:
    def delete(unit: UnitOfWork) -> None:
        gone = unit.resources.get(ControlUnit, "A/3")
        unit.delete(gone)
        unit.add_status_image(Kind.CONTROL_UNIT_STATUS, gone.meta.key, "run", "{}")

    def be_late(unit: UnitOfWork) -> None:
        unit.add_status_image(Kind.CONTROL_UNIT_STATUS, key, "run", "{}")

    key = facility.read_now(lambda unit: unit.keys.key_of(Kind.CONTROL_UNIT, "A/3")).value
    facility.transact_now(delete, caller=caller)
    facility.transact_now(be_late)
    assert [each[0] for each in status_changes(facility, "A/3")] == [
        Action.CREATED,
        Action.DELETED,
    ]


def test_a_status_is_renamed_with_its_unit_and_says_what_it_said(
    facility: Store, caller: Caller
) -> None:
    report(facility, "A/3", state=State.FATAL_ERROR)

    def rename(unit: UnitOfWork) -> None:
        unit.save(replace(unit.resources.get(ControlUnit, "A/3", lock=True), id="B/3"))

    facility.transact_now(rename, caller=caller)
    report(facility, "B/3")
    assert status_changes(facility, "B/3") == [
        (Action.UPDATED, "A/3", "B/3", State.FATAL_ERROR),
        (Action.UPDATED, "B/3", "B/3", State.RUNNING),
    ]
