"""A small facility on a store, with the parts of a replica that know who is alive.

Time is the database's; a test moves it by changing what the database has, never by waiting.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select

from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.fingerprint import dataset_hash
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.registration import Assignment, Registered, Registering
from metadata_server.domain.life.report import Report
from metadata_server.domain.life.session import Lease, Session
from metadata_server.domain.life.state import State
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.services.life.attachment import Attachment
from metadata_server.services.life.liveness import Liveness
from metadata_server.services.life.outbox import Word
from metadata_server.services.life.reports import steady_now_us
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store import schema
from metadata_server.store.life.sessions import sessions_of
from metadata_server.store.life.statuses import statuses_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
TIMING = Timing(lease_us=20_000_000, heartbeat_us=5_000_000)
CURRENT = Attribute(
    "current", Direction.INPUT, ValueType.DOUBLE, facets={"minimum": "0", "maximum": "10"}
)
READBACK = Attribute("readback", Direction.OUTPUT, ValueType.DOUBLE)
DATASET = (CURRENT, READBACK)
DATASET_HASH = dataset_hash(DATASET)
SUPPLY = Template(id="Supply", implementation="::lab::Supply", attributes=(CURRENT,))
COMING = Registering(
    unit_server="US",
    incarnation="first",
    classes={"lab::Supply": DATASET_HASH},
    host="rack1",
    address="10.0.0.1",
    pid=42,
    version="1.2",
)
DEADLINE_S = 20


@dataclass(frozen=True)
class Facility:
    """Unit server `US` with the units that a test declares."""

    store: Store
    resources: Resources
    liveness: Liveness
    tailer: Tailer

    async def declare(self, *ids: str, template: str = "Supply", server: str = "US") -> None:
        for unit_id in ids:
            unit = ControlUnit(
                id=unit_id, template=template, unit_server=server, desired_state=State.RUNNING
            )
            await self.resources.create(CALLER, unit, validate_only=False)

    async def change(self, unit_id: str, **fields: Any) -> None:
        await self.resources.update(
            CALLER,
            ControlUnit,
            unit_id,
            etag="*",
            change=lambda unit: replace(unit, **fields),
            validate_only=False,
        )

    async def register(self, **changes: object) -> Registered:
        said: Registering = replace(COMING, **changes)  # type: ignore[arg-type]
        return (await self.liveness.registration.register(said, CALLER)).value

    async def statuses(self) -> dict[str, ControlUnitStatus]:
        def work(unit: UnitOfWork) -> dict[str, ControlUnitStatus]:
            keys = [each.meta.key for each in unit.resources.where(ControlUnit)]
            return {each.id: each for each in statuses_of(unit, keys).values()}

        return (await self.store.read(work)).value

    async def held(self, server: str = "US") -> tuple[Session, Lease]:
        """The last session of a unit server, and its lease."""

        def work(unit: UnitOfWork) -> tuple[Session, Lease]:
            key = unit.resources.get(UnitServer, server).meta.key
            session, lease = sessions_of(unit, [key])[key]
            assert lease is not None
            return session, lease

        return (await self.store.read(work)).value

    async def images(self, unit_id: str) -> int:
        """How many images the history of a unit's status has."""
        history = schema.status_history

        def work(unit: UnitOfWork) -> int:
            key = unit.resources.get(ControlUnit, unit_id).meta.key
            query = select(func.count()).select_from(history).where(history.c.key == key)
            return int(unit.connection.execute(query).scalar_one())

        return (await self.store.read(work)).value

    async def position(self) -> Position:
        return (await self.store.read(lambda _: None)).position

    async def pass_time(self, seconds: float) -> None:
        """Lets everybody have been silent for so long, with the sweeps going on all the while."""
        past_us = round(seconds * 1_000_000)
        lease, observer = schema.lease, schema.observer

        def work(unit: UnitOfWork) -> None:
            unit.connection.execute(
                lease.update().values(
                    end_us=lease.c.end_us - past_us, beat_us=lease.c.beat_us - past_us
                )
            )
            unit.connection.execute(
                observer.update().values(
                    sweep_us=unit.now_us - TIMING.sweep_us,
                    node=select(unit.database.node).scalar_subquery(),
                )
            )

        await self.store.transact(work)

    async def let_grace_end(self) -> None:
        """Makes all declarations and sessions an hour old: who has not applied a change by now
        drifts."""

        def work(unit: UnitOfWork) -> None:
            for table, column in (
                (schema.control_unit, "update_time_us"),
                (schema.session, "start_time_us"),
            ):
                unit.connection.execute(
                    table.update().values({column: table.c[column] - 3_600_000_000})
                )

        await self.store.transact(work)

    async def not_look(self, seconds: float) -> None:
        """Lets so much time pass in which nobody sweeps either."""
        past_us = round(seconds * 1_000_000)
        await self.pass_time(seconds)
        observer = schema.observer
        await self.store.transact(
            lambda unit: unit.connection.execute(
                observer.update().values(sweep_us=unit.now_us - past_us)
            )
        )

    async def set_clock_back(self, seconds: float) -> None:
        """Makes all that the database's clock has written so far lie as far ahead, as after a
        fail-over to a node whose clock is behind."""
        ahead_us = round(seconds * 1_000_000)

        def work(unit: UnitOfWork) -> None:
            for table, *columns in (
                (schema.lease, "end_us", "beat_us"),
                (schema.observer, "sweep_us", "blind_since_us", "blind_until_us"),
                (schema.revision, "time_us"),
                (schema.chore, "due_us"),
            ):
                later = {each: table.c[each] + ahead_us for each in columns}
                unit.connection.execute(table.update().values(later))

        await self.store.transact(work)

    async def has_been_seen(self) -> None:
        """Lets the observer see clearly: no grace is running."""
        observer = schema.observer
        await self.liveness.sweeps.sweep()
        await self.store.transact(
            lambda unit: unit.connection.execute(
                observer.update().values(blind_since_us=0, blind_until_us=0)
            )
        )


@asynccontextmanager
async def facility(
    store: Store, *, adopt: bool = False, stream_age_s: float = 600
) -> AsyncIterator[Facility]:
    tailer = Tailer(store, period_s=0.02)
    liveness = Liveness(store, tailer, TIMING, stream_age_s=stream_age_s, adopt=adopt)
    found = Facility(store, Resources(store), liveness, tailer)
    await found.resources.create(CALLER, SUPPLY, validate_only=False)
    await found.resources.create(CALLER, UnitServer(id="US"), validate_only=False)
    await found.has_been_seen()
    loops = [tailer.run(), liveness.attachments.run(), liveness.reports.run()]
    loops += [liveness.keeper.run(), liveness.conditions.run(), liveness.coverages.run()]
    loops += [liveness.values.run(), liveness.looks.run()]
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@dataclass
class Ear:
    """What a unit server is told on its stream; everything so far, gathered."""

    words: list[Word] = field(default_factory=list)
    ended: Refused | None = None
    is_over: bool = False

    @property
    def assigned(self) -> Mapping[str, Assignment]:
        return {each.unit.id: each for word in self.words for each in word.assignments}

    @property
    def removed(self) -> set[str]:
        return {unit_id for word in self.words for unit_id in word.removed}

    @property
    def acknowledged(self) -> int:
        return max((word.acknowledged for word in self.words), default=0)

    @property
    def refused(self) -> dict[str, str]:
        """Reasons by id of the unit, or hash of the dataset."""
        return {
            each.control_unit or each.dataset: each.refused.reason
            for word in self.words
            for each in word.not_taken
        }


@asynccontextmanager
async def attached(
    facility: Facility,
    registered: Registered,
    position: Position | None = None,
    *,
    tells_let_go: bool = False,
) -> AsyncIterator[tuple[Attachment, Ear]]:
    """A stream of a session, and what is told on it."""
    ear = Ear()

    async def listen(attachment: Attachment) -> None:
        try:
            async for word in attachment.words():
                ear.words.append(word)
        except Refused as error:
            ear.ended = error
        ear.is_over = True

    session = registered.session.id
    where = position or registered.position
    attach = facility.liveness.attachments.attach
    async with attach(session, where, tells_let_go=tells_let_go) as attachment:
        task = asyncio.create_task(listen(attachment))
        try:
            yield attachment, ear
        finally:
            task.cancel()
            await asyncio.wait([task])


def report(control_unit: str, sequence: int, state: State, **changes: Any) -> Report:
    now_us = steady_now_us()
    return Report(control_unit, sequence, state, now_us)._replace(**changes)
