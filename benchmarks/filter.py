"""Filters: a page out of 100,000 units, by each kind of key, in each order, on both databases."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

from psutil import Process

from benchmarks.long_past import GROUPS, SERVERS, START_US, TEMPLATES, UNITS, ZONES, Rows, insert
from benchmarks.stage import Stage
from benchmarks.table import print_table
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.page import Selection
from metadata_server.domain.resource import Meta
from metadata_server.store import schema
from metadata_server.store.images import content_of, row_of
from metadata_server.store.intent.lists import resource_page
from metadata_server.store.intent.template_versions import write_versions
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.status_lists import status_page
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.shelves import shelf_of

PAGE, TIMES = 100, 3
INDEXED_GOAL_MS, GOAL_MS = 50, 400
CALLER = Caller(principal=Principal("bench"), method="Benchmarks.Filter")
ORDERS = ("id", "changed desc", "created", "state", "since desc")
INDEXED = (
    "template=T0",
    "template=T5",
    "template:T2*",
    "unit_server=S17",
    "zone=Z7",
    "zone=Z7/G55",
    "id:Z3/G5*",
    "state=RUNNING",
    "state=FATAL_ERROR",
    "state=FATAL_ERROR template=T0",
    "condition=ConfigDrift",
    "zone=Z7 template=T5 -state=RUNNING",
    "since<20s",
    "changed<30s",
)
UNINDEXED_ORDERS = ("holds_since", "holds_since desc")
OTHERS = (
    "U0999",
    "label.line=north",
    "label:rare",
    "overrides>3",
    "override:ramp",
    "level>=2",
    "desired=STOPPED",
    'message:"over heat"',
    "description:spare",
    "requires:RING/MAG/",
    "-template=T0 (label.line=south OR overrides>3)",
    "contact=LOST",
    "health=BAD",
    "holds_since<20s",
)
BY_CONDITIONS = ("", "condition:*", "zone=Z7", "holds_since<20s", "-template=T0")


async def filter(stage: Stage) -> None:
    """Prints the times on SQLite and on MariaDB."""
    measure("SQLite", f"sqlite:///{stage.folder / 'filter.db'}")
    name = stage.mariadb.create_database()
    measure("MariaDB", stage.mariadb.url(name), Process(stage.mariadb.pid))
    stage.mariadb.drop_database(name)


def measure(database: str, url: str, server: Process | None = None) -> None:
    with opened_store(url) as store:
        fill(store)
        for goal, texts, orders in (
            (INDEXED_GOAL_MS, INDEXED, ORDERS),
            (GOAL_MS, OTHERS, ORDERS),
            (GOAL_MS, BY_CONDITIONS, UNINDEXED_ORDERS),
        ):
            rows = [
                (text, *(taken_ms(store, server, text, order) for order in orders))
                for text in texts
            ]
            print_table(
                f"A page of {PAGE} of {UNITS:,} units on {database}, processor time, ms; "
                f"goal: < {goal}",
                ["", *orders],
                rows,
            )


def taken_ms(store: Store, server: Process | None, text: str, order: str) -> float:
    """Of a list of units; where it asks for what they report, of their statuses."""
    by_status = order.split(maxsplit=1)[0] in {"state", "since"}
    kind = Kind.CONTROL_UNIT_STATUS if by_status else Kind.CONTROL_UNIT
    selection = Selection(kind=kind, filter=text, order_by=order)

    def work(unit: UnitOfWork) -> int:
        if by_status:
            return len(status_page(unit, selection, size=PAGE).items)
        nothing_kept = shelf_of(ControlUnit)
        return len(resource_page(unit, ControlUnit, selection, nothing_kept, size=PAGE).items)

    began = processor_s(server)
    for _ in range(TIMES):
        store.read_now(work)
    return (processor_s(server) - began) / TIMES * 1000


def processor_s(server: Process | None) -> float:
    """Processor time of this process, and of the database where it is another one: on a quiet
    machine as long as by the clock."""
    spent = time.process_time()
    if server is not None:
        times = server.cpu_times()
        spent += times.user + times.system
    return spent


def fill(store: Store) -> None:
    """Units of 28 templates on 1,600 unit servers, nearly all RUNNING."""

    def declare(unit: UnitOfWork) -> dict[str, int]:
        saved = [unit.save(Template(id=f"T{n}", version=1)) for n in range(TEMPLATES)]
        servers = [unit.save(UnitServer(id=f"S{n}")) for n in range(SERVERS)]
        for each in servers:
            key = each.meta.key
            begun = Session(id=f"s-{key}", unit_server=each.id, unit_server_key=key, incarnation="")
            begin_session(unit, begun, lease_us=3_600_000_000)
        return {each.id: each.meta.key for each in (*saved, *servers)}

    answer = store.transact_now(declare, caller=CALLER)
    with store.database.writing.connect() as connection:
        insert(connection, rows_of(answer.value, answer.position.revision))
        lost = schema.lease.update().where(schema.lease.c.unit_server_key == answer.value["S3"])
        connection.execute(lost.values(contact="LOST"))
        connection.commit()
    store.transact_now(let_more_hold, caller=CALLER)


def let_more_hold(unit: UnitOfWork) -> None:
    """What is worked out of units besides what is stored of them: that they are in maintenance,
    and behind their template."""
    unit.save(Maintenance(id="pumps", id_prefixes=("Z5/", "Z6/G1")))
    for template in unit.resources.find(Template, ["T4", "T8"], lock=True).values():
        newer = replace(template, version=2)
        write_versions(unit, [replace(newer, meta=unit.save(newer).meta)], {})


def rows_of(keys: dict[str, int], revision: int) -> Rows:
    chance = random.Random(1)
    layout = LAYOUTS[Kind.CONTROL_UNIT]
    for number in range(UNITS):
        unit = unit_of(number, revision, chance)
        content = content_of(unit, layout, lambda _, id: keys[id])
        yield layout.table, row_of(unit, content, layout)
        yield schema.control_unit_status, status_row(unit, keys[unit.unit_server], chance)
        if number % 1_000 == 0:
            yield schema.unit_condition, condition_row(unit.meta.key)


def unit_of(number: int, revision: int, chance: random.Random) -> ControlUnit:
    template = 0 if number % 3 == 0 else number % TEMPLATES
    changed_us = START_US + chance.randrange(10**12)
    labels = {"line": "north" if number % 2 else "south"}
    return ControlUnit(
        id=f"Z{number % ZONES}/G{number // ZONES % GROUPS:02}/U{number:06}",
        template=f"T{template}",
        template_version=1,
        unit_server=f"S{number % SERVERS}",
        description="a spare" if number % 5_000 == 0 else "a unit of a large facility",
        desired_state=State.STOPPED if number % 50 == 0 else State.RUNNING,
        overrides=tuple(
            AttributeOverride(attribute=name)
            for name in (["a", "b", "c", "ramp"] if number % 500 == 0 else ["a", "b"])
        ),
        labels=labels | ({"rare": "yes"} if number % 10_000 == 0 else {}),
        level=number % 3,
        requires=("RING/MAG/",) if number % 100 == 0 else (),
        meta=Meta(number + 1_000_000, 1, revision, START_US + number // 1_000, changed_us),
    )


def status_row(unit: ControlUnit, server_key: int, chance: random.Random) -> dict[str, Any]:
    number = unit.meta.key - 1_000_000
    state = State.FATAL_ERROR if number % 5_000 == 0 else unit.desired_state
    return {
        "key": unit.meta.key,
        "unit_server_key": server_key,
        "session": f"s-{server_key}",
        "sequence": 1,
        "state": state.value,
        "state_time_us": START_US + chance.randrange(1_000) * 1_000_000_000,
        "message": "over heat" if number % 5_000 == 0 else "",
        "reached_generation": 1,
        "reached_recover_count": 0,
        "dataset": "",
        "fingerprint": "",
        "unfenced": False,
        "recovery": "",
        "revision": unit.meta.revision,
    }


def condition_row(key: int) -> dict[str, Any]:
    return {
        "key": key,
        "type": "ConfigDrift",
        "status": "TRUE",
        "reason": "X",
        "message": "",
        "fields": '{"fields":[]}',
        "since_us": START_US,
        "evidence": "",
    }
