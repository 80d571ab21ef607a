"""What holds of units besides their state: read with their statuses, now and in the past."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template, VersionMark, VersionState
from metadata_server.domain.life.condition import CONFIG_DRIFT, OUT_OF_DATE, Condition
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.page import PageStart, Selection, token_of
from metadata_server.store.intent.template_versions import write_versions
from metadata_server.store.life.conditions import Held, told, write_conditions
from metadata_server.store.life.desires import out_of_dates, wanted_of
from metadata_server.store.life.status_lists import status_page
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.past.changes import changes_after
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

CALLER = Caller(principal=Principal("tester"), method="Tests.Change")
STATUSES = Selection(kind=Kind.CONTROL_UNIT_STATUS)
DRIFT = Condition(
    type=CONFIG_DRIFT,
    reason="NotApplied",
    message="It still uses an older one.",
    since_us=1_700_000_000_000_000,
    fields=("attributes[current].maximum", "parameters[ramp]"),
)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with opened_store(database) as store:
        store.transact_now(declare, caller=CALLER)
        yield store


def declare(unit: UnitOfWork) -> None:
    versions = [Template(id="T", version=number) for number in (1, 2)]
    marks = tuple(VersionMark(each.version, VersionState.PUBLISHED) for each in versions)
    head = unit.save(replace(versions[1], versions=marks))
    write_versions(unit, [replace(each, meta=head.meta) for each in versions], {})
    for name, version in (("A", 1), ("B", 2), ("C", 2)):
        unit.save(ControlUnit(id=name, template="T", template_version=version))


def report(store: Store, *held: Condition, state: State = State.RUNNING) -> Position:
    """Unit B says what it is, and this holds of it."""

    def work(unit: UnitOfWork) -> None:
        key = unit.keys.key_of(Kind.CONTROL_UNIT, "B")
        empty = ControlUnitStatus(id="B", key=key, session="s")
        before = statuses_of(unit, [key], lock=True).get(key, empty)
        stored = {each.type: Held(each, "evidence") for each in held}
        save_statuses(unit, [replace(before, state=state, conditions=told(stored))])
        write_conditions(unit, {key: stored})

    return store.transact_now(work).position


def listed(store: Store, condition: str, at: Position | None = None) -> list[str]:
    selection = replace(STATUSES, condition=condition)
    token = token_of(selection, PageStart(at)) if at else ""
    page = store.read_now(lambda unit: status_page(unit, selection, token=token)).value
    return [row.status.id for row in page.items]


def conditions_of_b(store: Store) -> tuple[Condition, ...]:
    def work(unit: UnitOfWork) -> tuple[Condition, ...]:
        key = unit.keys.key_of(Kind.CONTROL_UNIT, "B")
        return statuses_of(unit, [key])[key].conditions

    return store.read_now(work).value


def test_conditions_are_read_back_as_they_were_written(store: Store) -> None:
    report(store, DRIFT)
    assert conditions_of_b(store) == (DRIFT,)
    other = replace(DRIFT, type="DatasetContradictsTemplate", fields=())
    report(store, other)
    assert conditions_of_b(store) == (other,), "one that holds no more is gone"


def test_units_are_listed_by_what_holds_of_them_now_and_then(store: Store) -> None:
    drifting = report(store, DRIFT)
    assert listed(store, CONFIG_DRIFT) == ["B"]
    well = report(store, state=State.STOPPED)
    assert listed(store, CONFIG_DRIFT) == []
    assert listed(store, CONFIG_DRIFT, drifting) == ["B"]
    assert listed(store, CONFIG_DRIFT, well) == []


def test_units_behind_the_newest_published_version_are_listed(store: Store) -> None:
    before = report(store)
    assert listed(store, OUT_OF_DATE) == ["A"]

    def rebase(unit: UnitOfWork) -> None:
        unit.save(replace(unit.resources.get(ControlUnit, "A"), template_version=2))

    store.transact_now(rebase, caller=CALLER)
    assert listed(store, OUT_OF_DATE) == []
    assert listed(store, OUT_OF_DATE, before) == ["A"]


def test_a_unit_is_out_of_date_since_the_newer_version_was_published(store: Store) -> None:
    def work(unit: UnitOfWork) -> tuple[Condition | None, int]:
        key = unit.keys.key_of(Kind.CONTROL_UNIT, "A")
        published = unit.resources.get(Template, "T").meta.update_time_us
        return out_of_dates(unit, wanted_of(unit, [key])).get(key), published

    condition, published_us = store.read_now(work).value
    assert condition is not None
    assert (condition.reason, condition.since_us) == ("NewerVersion", published_us)
    assert condition.message == "It is on version 1 of its template; the newest is 2."


def test_a_change_of_conditions_is_told_to_who_watches(store: Store) -> None:
    before = report(store)
    after = report(store, DRIFT)

    def work(unit: UnitOfWork) -> list[tuple[int, object]]:
        changes, _ = changes_after(unit, before.revision, limit=10)
        return [(each.revision, each.subject) for each in changes]

    ((revision, subject),) = store.read_now(work).value
    assert revision == after.revision
    assert isinstance(subject, ControlUnitStatus)
    assert subject.conditions == (DRIFT,)
