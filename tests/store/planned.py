"""Facilities told unit by unit, to be held against what is counted of them."""

import random
from dataclasses import dataclass, field

from sqlalchemy import update

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.condition import NOT_CONVERGING, Condition
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health, State, health_of
from metadata_server.domain.names import Kind
from metadata_server.store import schema
from metadata_server.store.life.conditions import Held, write_conditions
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
