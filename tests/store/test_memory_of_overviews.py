"""Overviews that are made of what was counted before, against overviews that count everything."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

import pytest
from sqlalchemy import event, update

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.condition import NOT_CONVERGING, Condition
from metadata_server.domain.life.groups import grouping_of
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.store import schema
from metadata_server.store.life.conditions import Held, drop_conditions, write_conditions
from metadata_server.store.life.endings import tell_contacts
from metadata_server.store.life.groups import read_groups
from metadata_server.store.life.leases import write_contact
from metadata_server.store.life.overview import Memory, read_overview
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("tester"), method="Tests.Change")
SERVERS, UNITS, STEPS = 6, 40, 40
HANGS = Held(Condition(type=NOT_CONVERGING, reason="R", message="M", since_us=1), "")


@dataclass
class Facility:
    """Changes at random, of every sort that an overview tells of."""

    store: Store
    chance: random.Random
    memory: Memory = field(default_factory=Memory)
    grouped: Memory = field(default_factory=Memory)
    number: int = UNITS

    def look(self, memory: Memory | None = None) -> dict[str, object]:
        """What an overview tells, save when."""
        answer = self.store.read_now(lambda u: read_overview(u, abnormal_limit=99, memory=memory))
        told = {each.name: getattr(answer.value, each.name) for each in fields(answer.value)}
        del told["time_us"]
        return told

    def groups(self, memory: Memory) -> object:
        grouping = grouping_of("label.line")
        answer = self.store.read_now(lambda u: read_groups(u, grouping, memory=memory))
        return answer.value.groups

    def contacts(self) -> set[Contact]:
        answer = self.store.read_now(
            lambda u: read_overview(u, abnormal_limit=9, memory=self.memory)
        )
        return {summary.session.contact for summary in answer.value.unit_servers}

    def change(self, unit: UnitOfWork) -> None:
        self.chance.choice(
            (
                *(self.edit, self.report, self.edit, self.report, self.report, self.rename),
                *(self.create, self.delete, self.register, self.lose, self.stick, self.maintain),
                *(self.rename_server, self.rename_agent),
            )
        )(unit)

    def units(self, unit: UnitOfWork) -> list[ControlUnit]:
        return [each for each in unit.resources.where(ControlUnit) if isinstance(each, ControlUnit)]

    def some(self, unit: UnitOfWork) -> ControlUnit:
        return self.chance.choice(self.units(unit))

    def server(self, unit: UnitOfWork) -> UnitServer:
        found = self.chance.choice(list(unit.resources.where(UnitServer)))
        assert isinstance(found, UnitServer)
        return found

    def edit(self, unit: UnitOfWork) -> None:
        server = self.chance.choice(["", self.server(unit).id])
        wanted = self.chance.choice([State.RUNNING, State.STOPPED])
        labels = {"line": self.chance.choice(["north", "south"])}
        edited = replace(self.some(unit), unit_server=server, desired_state=wanted, labels=labels)
        unit.save(edited)

    def rename(self, unit: UnitOfWork) -> None:
        self.number += 1
        zone = self.chance.choice("ABC")
        unit.save(replace(self.some(unit), id=f"{zone}/U{self.number}"))

    def create(self, unit: UnitOfWork) -> None:
        self.number += 1
        server = self.server(unit).id
        unit.save(
            ControlUnit(
                id=f"N/U{self.number}", template="T", template_version=1, unit_server=server
            )
        )

    def delete(self, unit: UnitOfWork) -> None:
        unit.delete(self.some(unit))

    def report(self, unit: UnitOfWork) -> None:
        told = self.some(unit)
        server = self.server(unit)
        status = ControlUnitStatus(
            id=told.id,
            key=told.meta.key,
            unit_server=server.id,
            session=f"run-{server.meta.key}",
            state=self.chance.choice([State.RUNNING, State.FATAL_ERROR, State.LOADED]),
            state_time_us=unit.now_us,
        )
        save_statuses(unit, [status])

    def stick(self, unit: UnitOfWork) -> None:
        """Or no more."""
        statuses = statuses_of(unit, [each.meta.key for each in self.units(unit)])
        if statuses:
            key = self.chance.choice(list(statuses))
            if statuses[key].is_stuck:
                drop_conditions(unit, [key], NOT_CONVERGING)
                save_statuses(unit, [replace(statuses[key], conditions=())])
            else:
                write_conditions(unit, {key: {NOT_CONVERGING: HANGS}})
                save_statuses(unit, [replace(statuses[key], conditions=(HANGS.condition,))])

    def register(self, unit: UnitOfWork) -> None:
        self.number += 1
        server = self.server(unit)
        begun = Session(
            id=f"run-{server.meta.key}-{self.number}",
            unit_server=server.id,
            unit_server_key=server.meta.key,
        )
        begin_session(unit, begun, lease_us=20_000_000)

    def lose(self, unit: UnitOfWork) -> None:
        """Or hear again."""
        server = self.server(unit)
        contact = self.chance.choice([Contact.SUSPECT, Contact.ALIVE])
        session = f"run-{server.meta.key}"
        write_contact(unit, [session], contact)
        tell_contacts(unit, {server.meta.key: (session, contact)})

    def maintain(self, unit: UnitOfWork) -> None:
        """Or no more."""
        open_ = list(unit.resources.where(Maintenance))
        if open_ and self.chance.random() < 0.5:
            unit.delete(self.chance.choice(open_))
            return
        self.number += 1
        unit.save(
            Maintenance(
                id=f"M{self.number}",
                control_units=(self.some(unit).id,),
                unit_servers=(self.server(unit).id,) if self.chance.random() < 0.5 else (),
                id_prefixes=("A/",) if self.chance.random() < 0.3 else (),
            )
        )

    def rename_server(self, unit: UnitOfWork) -> None:
        self.number += 1
        unit.save(replace(self.server(unit), id=f"S{self.number}"))

    def rename_agent(self, unit: UnitOfWork) -> None:
        self.number += 1
        (agent,) = unit.resources.where(Agent)
        unit.save(replace(agent, id=f"host-{self.number}"))


@pytest.fixture
def facility(store: Store) -> Facility:
    def declare(unit: UnitOfWork) -> None:
        unit.save(Template(id="T", version=1))
        unit.save(Agent(id="host"))
        for number in range(SERVERS):
            launch = Launch(agent="host") if number % 2 else None
            server = unit.save(UnitServer(id=f"S{number}", launch=launch))
            key = server.meta.key
            begun = Session(id=f"run-{key}", unit_server=server.id, unit_server_key=key)
            begin_session(unit, begun, lease_us=20_000_000)
        for number in range(UNITS):
            unit.save(
                ControlUnit(
                    id=f"{'AB'[number % 2]}/U{number}",
                    template="T",
                    template_version=1,
                    unit_server=f"S{number % SERVERS}",
                    desired_state=State.RUNNING,
                )
            )

    store.transact_now(declare, caller=CALLER)
    return Facility(store, random.Random(5))


@contextmanager
def counted(store: Store, words: str) -> Iterator[list[str]]:
    """The statements that have some words."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        if words in str(arguments[2]):
            statements.append(str(arguments[2]))

    event.listen(store.database.reading, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(store.database.reading, "before_cursor_execute", note)


def test_what_is_remembered_and_what_has_changed_give_the_whole(facility: Facility) -> None:
    for _ in range(STEPS):
        for _ in range(facility.chance.randint(1, 3)):
            facility.store.transact_now(facility.change, caller=CALLER)
        assert facility.look(facility.memory) == facility.look()
        assert facility.groups(facility.grouped) == facility.groups(Memory())


def test_only_unit_servers_that_a_change_touches_are_counted_again(facility: Facility) -> None:
    facility.look(facility.memory)

    def moved(unit: UnitOfWork) -> None:
        found = unit.resources.get(ControlUnit, "A/U0")
        assert isinstance(found, ControlUnit)
        unit.save(replace(found, unit_server="S3"))

    facility.store.transact_now(moved, caller=CALLER)
    with counted(facility.store, "count(*) AS units") as statements:
        facility.look(facility.memory)
    assert len(statements) == 1
    assert "control_unit.unit_server_key IN" in statements[0]


def left_behind(store: Store) -> None:
    """A restored database has another epoch."""
    with store.database.writing.begin() as connection:
        connection.execute(schema.revision.update().values(epoch=schema.revision.c.epoch + 1))


def trimmed(store: Store) -> None:
    """Of what has happened since the overview before a part is no longer kept."""
    with store.database.writing.begin() as connection:
        row = {"kind": Kind.CONTROL_UNIT_STATUS.value, "revision": 9, "time_us": 0}
        connection.execute(schema.horizon.insert().values(row))


@pytest.mark.parametrize("lose_track", [left_behind, trimmed])
def test_who_cannot_tell_what_has_changed_counts_everything(
    facility: Facility, lose_track: Callable[[Store], None]
) -> None:
    facility.look(facility.memory)
    for _ in range(9):
        facility.store.transact_now(facility.report)
    with facility.store.database.writing.begin() as connection:
        connection.execute(schema.status_history.delete())
    lose_track(facility.store)
    assert facility.look(facility.memory) == facility.look()


def test_while_the_observer_was_blind_beats_alone_say_who_is_there(facility: Facility) -> None:
    facility.look(facility.memory)
    now_us = facility.store.read_now(lambda unit: unit.now_us).value
    with facility.store.database.writing.begin() as connection:
        blind = {"blind_since_us": now_us, "blind_until_us": now_us + 60_000_000}
        seen = {"sweep_us": now_us, "node": "", **blind}
        connection.execute(update(schema.observer).values(seen))
        beat = schema.lease.c.session == connection.scalars(schema.lease.select()).first()
        connection.execute(update(schema.lease).where(beat).values(beat_us=now_us + 1))
    assert facility.look(facility.memory) == facility.look()
    assert {Contact.UNKNOWN, Contact.ALIVE} == facility.contacts()
