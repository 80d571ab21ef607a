"""A facility in which every key of the filter language has something to find, and filters at
random that ask for it."""

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.filter.key import FilterKey, ValueKind
from metadata_server.domain.intent.attribute import AttributeOverride, Driver
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.facility import Agent, Policy, SavedUnit, Script, Snapshot
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.agent_report import AgentReport, ProcessState, UnitServerProcess
from metadata_server.domain.life.condition import CONFIG_DRIFT, NOT_CONVERGING, Condition
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import DESIRABLE, Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.store import schema
from metadata_server.store.agents.agent_statuses import lock_agent_status, write_agent_status
from metadata_server.store.agents.launched import write_launched
from metadata_server.store.intent.template_versions import write_versions
from metadata_server.store.life.conditions import Held, write_conditions
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
TEXTS = (
    "",
    "spare",
    "Spare",
    "a b",
    "100%",
    "under_score",
    "st*r",
    'q"uote',
    "trailing ",
    "élan",
    "[x]",
    "tab\there",
    "line\nand \x1f\x7f",
    "back\\slash",
    "\u2028",
    "😀",
)
LABELS = ("section", "archived", "spare part", "group.1", "a\tb", "x[0]", "\x1f\n\x7f", "é*$.#")
ZONES = ("DAFNE/PL/", "DAFNE/", "BTF/", "DAFNE_X/", "")
SERVERS = ("BTF/CORRECTORS", "SIMPS_0", "c8:1f:66")
TEMPLATES = ("PowerSupply", "PowerSupply.Skew", "Motor")
LEASE_US = 3_600_000_000
CONTACTS = {"BTF/CORRECTORS": Contact.ALIVE, "SIMPS_0": Contact.LOST, "c8:1f:66": Contact.SUSPECT}


def declare_all(store: Store, chance: random.Random, *, units: int) -> None:
    """Something of each kind, in a few change sets."""

    def work(unit: UnitOfWork) -> None:
        unit.save(Agent(id="host-3", host="node7", description="a b"))
        for server in SERVERS:
            launch = Launch(agent="host-3", auto_start=True, level=2) if "/" in server else None
            unit.save(UnitServer(id=server, launch=launch, labels=labels(chance)))
        unit.save(UnitServer(id="A/never-came"))
        unit.save(Agent(id="a-never-came"))
        for template in TEMPLATES:
            interface = template.partition(".")[0]
            unit.save(
                Template(id=template, version=1, group=chance.choice(TEXTS), interface=interface)
            )
        unit.save(Script(id="ramp", language="CLING", content="for x in 100%"))
        unit.save(
            Snapshot(id="monday", units=(SavedUnit("DAFNE/1"),), marks=("golden",), taken_time_us=5)
        )
        unit.save(Policy(id="reasons", template="Motor", requires_reason=True))
        unit.save(MachineMode(id="DAFNE", mode="TEST", modes=("PHYSICS", "TEST")))
        unit.save(
            Guard(
                id="no-orders",
                machine_mode="DAFNE",
                modes=("PHYSICS",),
                forbids=(GuardedChange.ORDERS,),
                unit_labels={"section": "spare"},
                unit_filter="overrides>0 level<3",
            )
        )
        unit.save(
            UnitList(
                id="night", id_prefixes=("DAFNE/",), unit_filter="state=RUNNING", description="x"
            )
        )
        unit.save(Maintenance(id="pumps", id_prefixes=("BTF/",)))
        for id, begin_us, end_us in (("over", 9, 10), ("long-over", 5, 10), ("earliest", 1, 3)):
            unit.save(Maintenance(id=id, begin_time_us=begin_us, end_time_us=end_us))

    store.transact_now(work, caller=CALLER)
    ids = [f"{chance.choice(ZONES)}U{number}" for number in range(units)]
    for some in (ids[::2], ids[1::2]):
        store.transact_now(
            lambda unit, some=some: [unit.save(random_unit(chance, id)) for id in some],  # type: ignore[misc]
            caller=CALLER,
        )
    store.transact_now(bring_news, caller=CALLER)


def bring_news(unit: UnitOfWork) -> None:
    """A newer version of a template, and a unit server whose agent has given it up."""
    motor = unit.resources.find(Template, ["Motor"], lock=True)["Motor"]
    newer = replace(motor, version=2)
    write_versions(unit, [replace(newer, meta=unit.save(newer).meta)], {})
    agent_key = unit.keys.key_of(Kind.AGENT, "host-3")
    lock_agent_status(unit, agent_key, suspect_us=LEASE_US)
    said = AgentReport(agent="host-3", incarnation="1", host="noeud-é", version="2.1")
    write_agent_status(unit, agent_key, said, [], start_us=1, lease_us=LEASE_US)
    dead = UnitServerProcess(
        unit_server="BTF/CORRECTORS", state=ProcessState.GAVE_UP, state_time_us=7
    )
    server_key = unit.keys.key_of(Kind.UNIT_SERVER, dead.unit_server)
    write_launched(unit, agent_key, {server_key: dead})


def labels(chance: random.Random) -> dict[str, str]:
    return {name: chance.choice(TEXTS) for name in chance.sample(LABELS, chance.randint(0, 3))}


def random_unit(chance: random.Random, id: str) -> ControlUnit:
    return ControlUnit(
        id=id,
        template=chance.choice(TEMPLATES),
        template_version=1,
        unit_server=chance.choice((*SERVERS, "")),
        description=chance.choice(TEXTS),
        desired_state=chance.choice(sorted(DESIRABLE)),
        overrides=tuple(
            AttributeOverride(attribute=each)
            for each in sorted(chance.sample(["current", "ramp", "x_y"], chance.randint(0, 3)))
        ),
        drivers=(Driver(name="Modbus"),) if chance.random() < 0.3 else (),
        parameters={"ramp": chance.choice(TEXTS)} if chance.random() < 0.5 else {},
        labels=labels(chance),
        level=chance.randint(-2, 2),
        requires=("RING/MAG/",) if chance.random() < 0.3 else (),
    )


def report_some(store: Store, chance: random.Random, *, share: float = 0.7) -> None:
    """Sessions of all unit servers, as they are in touch, and statuses of some of the units."""

    def begin(unit: UnitOfWork) -> None:
        for number, server in enumerate(SERVERS):
            key = unit.keys.key_of(Kind.UNIT_SERVER, server)
            begun = Session(
                id=f"session-{number}",
                unit_server=server,
                unit_server_key=key,
                incarnation="1",
                host=("nodé", "node10", "node10")[number],
                version=f"{number % 2}.1",
            )
            begin_session(unit, begun, lease_us=10_000_000)
            unit.connection.execute(
                schema.lease.update()
                .where(schema.lease.c.session == begun.id)
                .values(contact=CONTACTS[server].value)
            )

    store.transact_now(begin)
    report_again(store, chance, share=share)


def report_again(store: Store, chance: random.Random, *, share: float) -> None:
    def report(unit: UnitOfWork) -> None:
        declared = unit.resources.where(ControlUnit)
        hosted = [each for each in declared if each.unit_server and chance.random() < share]
        keys = [each.meta.key for each in hosted]
        statuses_of(unit, keys, lock=True)
        drifting = Condition(type=CONFIG_DRIFT, reason="X", message="", since_us=9)
        stuck = replace(drifting, type=NOT_CONVERGING, since_us=3)
        statuses = [
            replace(
                random_status(unit, chance, each),
                conditions=chance.choice(((drifting,), (stuck,), ())),
            )
            for each in hosted
        ]
        save_statuses(unit, statuses)
        write_conditions(
            unit, {s.key: {each.type: Held(each, "") for each in s.conditions} for s in statuses}
        )

    store.transact_now(report)


def change_some(store: Store, chance: random.Random) -> None:
    """People change, rename, create and delete units, and units report."""

    def work(unit: UnitOfWork) -> None:
        declared = unit.resources.where(ControlUnit)
        chosen = chance.sample(declared, 12)
        held = unit.resources.find(ControlUnit, [each.id for each in chosen], lock=True)
        for each in list(held.values())[:4]:
            unit.delete(each)
        for each in list(held.values())[4:8]:
            fresh = random_unit(chance, f"{each.id}{chance.randint(0, 99)}")
            unit.save(replace(fresh, meta=each.meta))
        for each in list(held.values())[8:]:
            unit.save(replace(random_unit(chance, each.id), meta=each.meta))
        unit.save(random_unit(chance, f"NEW/{chance.random()}"))

    store.transact_now(work, caller=CALLER)
    report_again(store, chance, share=0.2)


def random_status(
    unit: UnitOfWork, chance: random.Random, declared: ControlUnit
) -> ControlUnitStatus:
    return ControlUnitStatus(
        id=declared.id,
        key=declared.meta.key,
        unit_server=declared.unit_server,
        session=f"session-{SERVERS.index(declared.unit_server)}",
        state=chance.choice(sorted(State)),
        state_time_us=unit.now_us - chance.choice((0, 5, 5, 7_200_000_000)),
        message=chance.choice(TEXTS),
        reached_generation=chance.randint(0, 2),
        unfenced=chance.random() < 0.2,
    )


def random_filter(
    chance: random.Random, keys: Iterable[FilterKey], facts: dict[str, list[Any]]
) -> str:
    """A filter, mostly about what there is.

    Args:
        facts: values that there are, by key.
    """
    known = list(keys)
    terms = [random_term(chance, chance.choice(known), facts) for _ in range(chance.randint(1, 3))]
    if len(terms) == 3 and chance.random() < 0.5:
        return f"{terms[0]} ({terms[1]} OR {terms[2]})"
    return chance.choice((" ", " OR ")).join(terms)


def random_term(chance: random.Random, key: FilterKey, facts: dict[str, list[Any]]) -> str:
    sign = "-" if chance.random() < 0.3 else ""
    name = key.name
    if key.has_names and chance.random() < 0.7:
        name += f'."{chance.choice(LABELS)}"'
        if chance.random() < 0.2:
            return f"{sign}{name}"
    operator = chance.choice(key.operators).value
    if key.kind is ValueKind.FLAG:
        return f"{sign}{name}{operator}{chance.choice(('true', 'false'))}"
    if key.kind is ValueKind.TIME:
        return f"{sign}{name}{operator}{chance.choice(('1h', '3h', '1ms', '2020-01-01'))}"
    found = chance.choice(facts.get(key.name) or key.words or [1])
    if key.kind is ValueKind.WORD:
        values = {str(found), *chance.sample(key.words, min(len(key.words), chance.randint(0, 2)))}
        return f"{sign}{name}{operator}{','.join(sorted(values))}"
    if key.kind is ValueKind.NUMBER:
        return f"{sign}{name}{operator}{int(found) + chance.randint(-1, 1)}"
    text = chance.choice(TEXTS) if name != key.name else str(found)
    if chance.random() < 0.5 and operator == ":":
        cut = chance.randint(0, len(text))
        pattern = chance.choice((f"{text[:cut]}*", f"*{text[cut:]}", f"{text[:1]}*{text[cut:]}"))
        if '"' not in pattern and " " not in pattern and "(" not in pattern and "," not in pattern:
            return f"{sign}{name}:{pattern}"
    return f"{sign}{name}{operator}{quoted(text)}"


def quoted(text: str) -> str:
    """A text as filters have it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
