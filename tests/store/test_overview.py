"""The overview as the database counts it, against units told one by one."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import update

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.condition import NOT_CONVERGING, Condition
from metadata_server.domain.life.overview import ABNORMAL, Overview, rank
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health, State, health_of
from metadata_server.domain.names import Kind
from metadata_server.store import schema
from metadata_server.store.life import overview as overviews
from metadata_server.store.life.conditions import Held, write_conditions
from metadata_server.store.life.overview import beats, read_overview
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.statuses import save_statuses
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("tester"), method="Tests.Change")
LEASE_US = 20_000_000
STUCK = {
    NOT_CONVERGING: Held(
        Condition(type=NOT_CONVERGING, reason="HookHangs", message="It hangs.", since_us=1), ""
    )
}
DESIRED = [State.UNSPECIFIED, State.UNLOADED, State.LOADED, State.RUNNING]
CONTACTS = [Contact.ALIVE, Contact.SUSPECT, Contact.LOST, Contact.UNKNOWN, Contact.NONE]


@dataclass(frozen=True)
class Unit:
    """What one unit is, as the test knows it."""

    id: str
    server: str
    desired: State
    state: State
    contact: Contact
    is_stuck: bool = False

    @property
    def health(self) -> Health:
        return health_of(self.state, self.desired, self.contact, is_stuck=self.is_stuck)

    @property
    def zone(self) -> str:
        return self.id.split("/")[0] if "/" in self.id else ""


@dataclass
class Plan:
    """A facility to be built; servers without a contact have never registered."""

    servers: dict[str, Contact | None]
    units: list[Unit] = field(default_factory=list)


def planned_at_random(seed: int, *, servers: int, units: int) -> Plan:
    chance = random.Random(seed)
    plan = Plan({f"S{number}": chance.choice([*CONTACTS, None]) for number in range(servers)})
    for number in range(units):
        server = chance.choice([*plan.servers, ""])
        contact = plan.servers.get(server)
        state = State.UNSPECIFIED if contact is None else chance.choice(list(State))
        zone = chance.choice(["DAFNE/", "BTF/", ""])
        desired, name = chance.choice(DESIRED), f"{zone}U{number:04}"
        is_stuck = contact is not None and chance.random() < 0.3
        unit = Unit(name, server, desired, state, contact or Contact.NONE, is_stuck)
        plan.units.append(unit)
    return plan


def build(store: Store, plan: Plan) -> None:
    def declare(unit: UnitOfWork) -> None:
        unit.save(Template(id="T", version=1))
        for server in plan.servers:
            unit.save(UnitServer(id=server))
        for each in plan.units:
            unit.save(
                ControlUnit(
                    id=each.id,
                    template="T",
                    template_version=1,
                    unit_server=each.server,
                    desired_state=each.desired,
                )
            )

    def live(unit: UnitOfWork) -> None:
        for server, contact in plan.servers.items():
            if contact is not None:
                key = unit.keys.key_of(Kind.UNIT_SERVER, server)
                begun = Session(id=f"run-{server}", unit_server=server, unit_server_key=key)
                begin_session(unit, begun, lease_us=LEASE_US)
                row = schema.lease.c
                changed = {"contact": contact.value, "ended": contact is Contact.LOST}
                unit.connection.execute(
                    update(schema.lease).where(row.session == begun.id).values(changed)
                )
        unit.keys.find(Kind.CONTROL_UNIT, [each.id for each in plan.units])
        save_statuses(unit, [status_of(unit, each) for each in plan.units if is_hosted(plan, each)])
        stuck = (each.id for each in plan.units if each.is_stuck)
        write_conditions(unit, {unit.keys.key_of(Kind.CONTROL_UNIT, id): STUCK for id in stuck})

    store.transact_now(declare, caller=CALLER)
    store.transact_now(live)


def is_hosted(plan: Plan, unit: Unit) -> bool:
    return plan.servers.get(unit.server) is not None


def status_of(unit: UnitOfWork, each: Unit) -> ControlUnitStatus:
    return ControlUnitStatus(
        id=each.id,
        key=unit.keys.key_of(Kind.CONTROL_UNIT, each.id),
        unit_server=each.server,
        session=f"run-{each.server}",
        state=each.state,
        state_time_us=unit.now_us,
        message=f"{each.id} says {each.state}",
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
