"""The overview as of a revision, against the one that was read then."""

from dataclasses import replace

from metadata_server.domain.change import Position
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.condition import NOT_CONVERGING, Condition
from metadata_server.domain.life.overview import Overview
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.store.life.overview import read_overview
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.status_images import session_image
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.past.past_overview import past_overview
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.store.planned import CALLER, LEASE_US, Plan, Unit, build, planned_at_random

UNITS = 60


def plan_without_beats() -> Plan:
    """What a record is kept of: nobody is silent without having ended."""
    plan = planned_at_random(4, servers=5, units=UNITS)
    plan.servers = {
        name: Contact.ALIVE if number else None for number, name in enumerate(plan.servers)
    }
    plan.units = [
        replace(
            each,
            contact=plan.servers.get(each.server) or Contact.NONE,
            state=each.state if plan.servers.get(each.server) else State.UNSPECIFIED,
            is_stuck=False,
        )
        for each in plan.units
    ]
    return plan


def now(store: Store) -> Overview:
    return store.read_now(lambda unit: read_overview(unit, abnormal_limit=1000)).value


def then(store: Store, position: Position, *, limit: int = 1000) -> Overview:
    def work(unit: UnitOfWork) -> Overview:
        return past_overview(unit, position, 17, abnormal_limit=limit)

    return store.read_now(work).value


def turn_everything(store: Store, plan: Plan) -> None:
    """Every unit says something else or is gone, is wanted otherwise, or is called otherwise."""

    def declare(unit: UnitOfWork) -> None:
        ids = [each.id for each in plan.units]
        for number, each in enumerate(unit.resources.find(ControlUnit, ids).values()):
            if number % 5 == 0:
                unit.delete(each)
            elif number % 5 == 1:
                unit.save(replace(each, id=f"OTHER/{each.id.replace('/', '.')}"))
            else:
                unit.save(replace(each, desired_state=State.UNLOADED, unit_server=""))
        unit.save(UnitServer(id="another"))

    def report(unit: UnitOfWork) -> None:
        keys = unit.keys.find(Kind.CONTROL_UNIT, [each.id for each in plan.units])
        told = statuses_of(unit, keys.values())
        save_statuses(unit, [replace(each, state=State.FATAL_ERROR) for each in told.values()])

    store.transact_now(report)
    store.transact_now(declare, caller=CALLER)


def test_what_was_counted_then_is_counted_of_then(store: Store) -> None:
    plan = plan_without_beats()
    build(store, plan)
    before = now(store)
    assert before.abnormal
    turn_everything(store, plan)
    assert now(store).tally != before.tally
    seen = then(store, before.position)
    assert seen.tally.standings == before.tally.standings
    assert [(each.name, each.tally.standings) for each in seen.zones] == [
        (each.name, each.tally.standings) for each in before.zones
    ]
    assert [(s.session.unit_server, s.health, s.tally.standings) for s in seen.unit_servers] == [
        (s.session.unit_server, s.health, s.tally.standings) for s in before.unit_servers
    ]
    assert seen.abnormal == before.abnormal
    assert then(store, before.position, limit=3).abnormal == before.abnormal[:3]
    assert (seen.position, seen.time_us) == (before.position, 17)


def test_nothing_was_there_at_first(store: Store) -> None:
    build(store, plan_without_beats())
    seen = then(store, replace(now(store).position, revision=0))
    assert (seen.tally.units, seen.zones, seen.unit_servers) == (0, (), ())


def test_who_was_lost_or_stuck_then_is_so_still(store: Store) -> None:
    running = Unit("A/1", "S", State.LOADED, State.RUNNING, Contact.ALIVE)
    build(store, Plan({"S": Contact.ALIVE}, [replace(running, desired=State.RUNNING)]))

    def be_stuck(unit: UnitOfWork) -> None:
        (status,) = statuses_of(unit, unit.keys.find(Kind.CONTROL_UNIT, ["A/1"]).values()).values()
        stuck = Condition(type=NOT_CONVERGING, reason="HookHangs", message="", since_us=1)
        save_statuses(unit, [replace(status, state=State.LOADED, conditions=(stuck,))])

    def be_lost(unit: UnitOfWork) -> None:
        key = unit.keys.key_of(Kind.UNIT_SERVER, "S")
        moment = unit.claim()
        end = moment.now_us, EndReason.LEASE_ENDED
        image = session_image(Contact.LOST, moment.now_us, end)
        unit.add_status_image(Kind.UNIT_SERVER_STATUS, key, "run-S", image)

    def begin_again(unit: UnitOfWork) -> None:
        key = unit.keys.key_of(Kind.UNIT_SERVER, "S")
        again = Session(id="run-again", unit_server="S", unit_server_key=key)
        begin_session(unit, again, lease_us=LEASE_US)

    was_stuck = store.transact_now(be_stuck).position
    was_lost = store.transact_now(be_lost).position
    store.transact_now(begin_again)
    turn_everything(store, Plan({}, [running]))
    assert then(store, was_stuck).zones[0].tally.why == "1 of 1 stuck before RUNNING"
    (server,) = then(store, was_stuck).unit_servers
    assert server.session.contact is Contact.ALIVE
    assert then(store, was_lost).zones[0].tally.why == "1 of 1 LOST"
