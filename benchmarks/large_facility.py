"""A facility of 100,000 units with all that pages show of it: a template, unit servers in session,
what each unit said last, a few that are not as they should be.

The store itself writes it, so nothing is there that could not be there. The beats of its sessions
are written like those that come to another replica than the one that is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from sqlalchemy import select

from benchmarks.facility import (
    CLASS,
    DATASET,
    DATASET_HASH,
    server_id,
    unit_id,
)
from metadata_server.api.messages.dataset import published_attributes_of
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.resource import Resource
from metadata_server.settings import Settings
from metadata_server.store.intent.template_versions import write_versions
from metadata_server.store.life.datasets import store_datasets
from metadata_server.store.life.instantiations import begin_lives
from metadata_server.store.life.leases import renew
from metadata_server.store.life.observer import observer
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.statuses import save_statuses
from metadata_server.store.schema import lease
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.waiting import until

SERVERS, UNITS_EACH = 1_600, 63
UNITS = SERVERS * UNITS_EACH
SERVERS_AT_ONCE = 80
"""Declared in one transaction."""
ERRS_EVERY = 1_000
TIMING = Timing(Settings().lease_us, Settings().heartbeat_us)
LONG_US = 24 * 3600 * 1_000_000
"""A lease that outlasts the filling; nobody sweeps meanwhile."""
TEMPLATE = CLASS.removeprefix("::")
R = TypeVar("R", bound=Resource)
CALLER = Caller(principal=Principal("bench"), method="Benchmarks.LargeFacility")


def fill(store: Store) -> None:
    """Declares it, and has it run."""
    store.transact_now(declare_template, caller=CALLER)
    for first in range(0, SERVERS, SERVERS_AT_ONCE):
        numbers = range(first, min(first + SERVERS_AT_ONCE, SERVERS))
        declared = store.transact_now(partial(declare, numbers=numbers), caller=CALLER).value
        store.transact_now(partial(run, declared=declared))


def declare_template(unit: UnitOfWork) -> None:
    kept = published_attributes_of(DATASET.attributes)
    template = Template(id=TEMPLATE, version=1, implementation=TEMPLATE, attributes=kept)
    write_versions(unit, [saved(unit, template)], {})
    store_datasets(unit, {DATASET_HASH: kept})


def saved(unit: UnitOfWork, resource: R) -> R:
    """What is saved, with its key."""
    stamped = unit.save(resource)
    assert isinstance(stamped, type(resource))
    return stamped


Declared = list[tuple[UnitServer, list[ControlUnit]]]


def declare(unit: UnitOfWork, numbers: Sequence[int]) -> Declared:
    servers = [saved(unit, UnitServer(id=server_id(number))) for number in numbers]
    return [
        (server, [saved(unit, unit_of(number, place)) for place in range(UNITS_EACH)])
        for number, server in zip(numbers, servers, strict=True)
    ]


def unit_of(server: int, place: int) -> ControlUnit:
    return ControlUnit(
        id=unit_id(server, place),
        template=TEMPLATE,
        template_version=1,
        unit_server=server_id(server),
        description=f"Magnet {place} of group {server}",
        desired_state=State.RUNNING,
        labels={"line": "north" if place % 2 else "south"},
        overrides=(
            AttributeOverride("attribute_01", {"maximum": str(10 + place % 50)}),
            AttributeOverride("attribute_03", {"default_value": str(place % 7)}),
        ),
    )


def run(unit: UnitOfWork, declared: Declared) -> None:
    """Has unit servers register and their units report."""
    statuses: list[ControlUnitStatus] = []
    for server, units in declared:
        session = begin_session(
            unit,
            Session(
                id=f"run-{server.id}",
                unit_server=server.id,
                unit_server_key=server.meta.key,
                incarnation="1",
                host="hollow",
                classes=(TEMPLATE,),
                datasets={TEMPLATE: DATASET_HASH},
                version="bench",
            ),
            lease_us=LONG_US,
        )
        begin_lives(unit, session, units)
        statuses += [status_of(each, session, unit.now_us) for each in units]
    save_statuses(unit, statuses)


def status_of(unit: ControlUnit, session: Session, now_us: int) -> ControlUnitStatus:
    errs = unit.meta.key % ERRS_EVERY == 0
    return ControlUnitStatus(
        id=unit.id,
        key=unit.meta.key,
        unit_server=unit.unit_server,
        session=session.id,
        sequence=1,
        state=State.FATAL_ERROR if errs else State.RUNNING,
        message="The interlock is open." if errs else "",
        state_time_us=now_us,
        reached_generation=unit.meta.generation,
        dataset=DATASET_HASH,
    )


@asynccontextmanager
async def beating(store: Store) -> AsyncIterator[None]:
    """Has all unit servers beat."""
    sessions = store.read_now(open_sessions).value
    task = asyncio.create_task(beat(store, sessions))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def beat(store: Store, sessions: Sequence[str]) -> None:
    """Renews all leases at once, and from then on some every half a second, each in its turn."""
    parts = round(TIMING.heartbeat_us / 1_000_000 / TIMING.renewal_s)
    some: Sequence[str] = sessions
    turn = 0
    while True:
        await store.transact(partial(renew, sessions=some, lease_us=TIMING.lease_us))
        await asyncio.sleep(TIMING.renewal_s)
        turn += 1
        some = sessions[turn % parts :: parts]


def open_sessions(unit: UnitOfWork) -> list[str]:
    query = select(lease.c.session).where(lease.c.ended.is_(False))
    return list(unit.connection.execute(query).scalars())


async def is_seen(store: Store) -> None:
    """Waits until the replica that looks over it has watched for as long as a lease runs: before
    that, it judges nobody."""

    def sees(unit: UnitOfWork) -> bool:
        found = observer(unit)
        return found.sweep_us > 0 and found.blind_until_us < unit.now_us

    async def reads() -> bool:
        return (await store.read(sees)).value

    within = 3 * TIMING.lease_us / 1_000_000
    await until(reads, within=within, what="a replica that knows who is there")
