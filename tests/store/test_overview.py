"""The overview as the database counts it, against units told one by one."""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import update

from metadata_server.domain.life.overview import ABNORMAL, Overview, rank
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.store import schema
from metadata_server.store.life import overview as overviews
from metadata_server.store.life.overview import beats, read_overview
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.store.planned import (
    CALLER,
    LEASE_US,
    Plan,
    Unit,
    build,
    is_hosted,
    planned_at_random,
)


def look(store: Store, *, limit: int = 1000) -> Overview:
    return store.read_now(lambda unit: read_overview(unit, abnormal_limit=limit)).value


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_counted_is_what_is_there(store: Store, seed: int) -> None:
    plan = planned_at_random(seed, servers=6, units=150)
    build(store, plan)
    seen = look(store)
    assert seen.tally.healths == Counter(unit.health for unit in plan.units)
    assert seen.tally.states == Counter(unit.state for unit in plan.units)
    assert seen.tally.contacts == Counter(unit.contact for unit in plan.units)
    for zone in seen.zones:
        units = [unit for unit in plan.units if unit.zone == zone.name]
        assert zone.tally.healths == Counter(unit.health for unit in units)
    for summary in seen.unit_servers:
        server = summary.session.unit_server
        units = [unit for unit in plan.units if unit.server == server]
        assert summary.tally.states == Counter(unit.state for unit in units)
        assert summary.session.contact is (plan.servers[server] or Contact.NONE)
    assert {zone.name for zone in seen.zones} == {unit.zone for unit in plan.units}
    assert len(seen.unit_servers) == len(plan.servers)


def worst_first(units: list[Unit]) -> list[str]:
    abnormal = [unit for unit in units if unit.health in ABNORMAL]
    ordered = sorted(
        abnormal, key=lambda unit: (rank(unit.health), not unit.state.is_error, unit.id)
    )
    return [unit.id for unit in ordered]


@pytest.fixture(params=["named sessions", "any session"])
def either_search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few sessions are named in the search; of very many, all units are looked at."""
    if request.param == "any session":
        monkeypatch.setattr(overviews, "MOST_NAMED_SESSIONS", 0)
        monkeypatch.setattr(overviews, "SMALLEST_BATCH", 7)


@pytest.mark.usefixtures("either_search")
@pytest.mark.parametrize("limit", [1, 10, 1000])
def test_abnormal_units_are_worst_first(store: Store, limit: int) -> None:
    plan = planned_at_random(3, servers=6, units=150)
    build(store, plan)
    seen = look(store, limit=limit)
    expected = worst_first(plan.units)
    assert [unit.id for unit in seen.abnormal] == expected[:limit]
    assert seen.abnormal_total == len(expected)
    by_id = {unit.id: unit for unit in plan.units}
    for unit in seen.abnormal:
        there = by_id[unit.id]
        standing = unit.standing
        assert (standing.state, standing.desired, standing.contact) == (
            there.state,
            there.desired,
            there.contact,
        )
        assert unit.unit_server == there.server
        hosted = is_hosted(plan, there)
        assert unit.message == (f"{there.id} says {there.state}" if hosted else "")


def test_a_maintenance_of_a_server_leaves_units_without_one_abnormal(store: Store) -> None:
    hosted = Unit("A/1", "S", State.RUNNING, State.FATAL_ERROR, Contact.ALIVE)
    nobodys = Unit("A/2", "", State.RUNNING, State.UNSPECIFIED, Contact.NONE)
    build(store, Plan({"S": Contact.ALIVE}, [hosted, nobodys]))
    work = Maintenance(id="rack", unit_servers=("S",))
    store.transact_now(lambda unit: unit.save(work), caller=CALLER)
    seen = look(store)
    assert [unit.id for unit in seen.abnormal] == ["A/2"]
    assert seen.abnormal_total == 1


def test_an_empty_store_has_an_empty_overview(store: Store) -> None:
    seen = look(store)
    assert seen.tally.units == 0
    assert (seen.zones, seen.unit_servers, seen.abnormal) == ((), (), ())
    assert seen.blind_until_us == 0


def set_observer(store: Store, values: Callable[[int], dict[str, int]]) -> None:
    def work(unit: UnitOfWork) -> None:
        unit.connection.execute(update(schema.observer).values(values(unit.now_us)))

    store.transact_now(work)


def test_who_was_not_heard_since_a_blindness_is_unknown(store: Store) -> None:
    alive = Unit("A/1", "S", State.RUNNING, State.RUNNING, Contact.ALIVE)
    build(store, Plan({"S": Contact.ALIVE}, [alive]))
    assert look(store).tally.healths == {Health.GOOD: 1}
    set_observer(
        store,
        lambda now_us: {"blind_since_us": now_us + 1, "blind_until_us": now_us + LEASE_US},
    )
    seen = look(store)
    assert seen.tally.healths == {Health.UNKNOWN: 1}
    assert [unit.id for unit in seen.abnormal] == ["A/1"]
    assert seen.zones[0].tally.why == "1 of 1 UNKNOWN"
    assert seen.blind_until_us > seen.time_us


def test_beats_are_those_of_open_sessions(store: Store) -> None:
    build(store, Plan({"B": Contact.ALIVE, "A": Contact.SUSPECT, "C": Contact.LOST, "D": None}))
    answer = store.read_now(lambda unit: (unit.now_us, beats(unit))).value
    now_us, found = answer
    assert [id for id, _ in found] == ["A", "B"]
    assert all(now_us - LEASE_US < beat_us <= now_us for _, beat_us in found)
