"""What units report, written in batches: many units, one transaction, one revision."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import structlog

from metadata_server.domain.life.registration import contradicting
from metadata_server.domain.life.report import Before, Report, reported
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.life.configurations import Basis, Configurations, Start
from metadata_server.services.life.hosting import HostedUnit
from metadata_server.store.life.conditions import NOTHING, HeldByType, conditions_of, told
from metadata_server.store.life.leases import ended_among
from metadata_server.store.life.standings import Standing, standings_of
from metadata_server.store.life.statuses import NEWER_REPORT, save_statuses
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

GATHER_S = 0.05
UNITS_A_REVISION = 1_000
MAXIMUM_PENDING = 10_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Written:
    """What a report made of a unit's status; `dataset_before` differs where it changed.

    Attributes:
        has_conditions: something holds of the unit besides, and perhaps no more.
    """

    report: Report
    dataset: str
    dataset_before: str
    has_conditions: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of the reports of one session in one transaction.

    Attributes:
        written: by key of the unit.
        stale: keys of units that are not this session's any more.
        unknown: keys by hash of the dataset that the store lacks.
        contradicting: by key, why the reported dataset cannot be the unit's.
        has_ended: the session has ended; none of its reports was written.
        has_failed: a fault of our own; none of its reports was written.
        acknowledged: all reports up to this sequence need not be sent again.
    """

    written: dict[int, Written] = field(default_factory=dict)
    stale: set[int] = field(default_factory=set)
    unknown: dict[str, set[int]] = field(default_factory=dict)
    contradicting: dict[int, Refused] = field(default_factory=dict)
    has_ended: bool = False
    has_failed: bool = False
    acknowledged: int = 0


Tell = Callable[[Outcome], None]


class Entry(NamedTuple):
    """A report that waits, with what older ones of its unit told.

    Attributes:
        first_sequence: of the oldest report that it stands for.
    """

    hosted: HostedUnit
    report: Report
    first_sequence: int

    def then(self, newer: Entry) -> Entry:
        if newer.report.sequence <= self.report.sequence:
            return self
        return Entry(newer.hosted, newer.report.after(self.report), self.first_sequence)


@dataclass(slots=True)
class Pending:
    """The reports of one session that wait, by key of their unit, oldest first."""

    session: Session
    tell: Tell
    entries: dict[int, Entry] = field(default_factory=dict)
    seen: int = 0

    def acknowledged(self) -> int:
        """The highest sequence below which nothing waits."""
        return min((each.first_sequence - 1 for each in self.entries.values()), default=self.seen)


Batch = list[tuple[Session, list[Entry]]]


class StatusWriter:
    """Collects reports of all sessions of this replica and writes them together.

    Nobody's call waits for a particular transaction; so nobody's end can undo one that others
    wait for.
    """

    def __init__(self, store: Store, configurations: Configurations) -> None:
        self._store = store
        self._configurations = configurations
        self._pending: dict[str, Pending] = {}
        self._count = 0
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def pending(self) -> int:
        """Units whose reports wait to be written."""
        return self._count

    async def put(
        self, session: Session, reports: Iterable[tuple[HostedUnit, Report]], seen: int, tell: Tell
    ) -> None:
        """Takes reports over, waiting while too many wait already: so the stream that they come
        from is slowed down. Ends with that stream at the latest.

        Args:
            seen: highest sequence that came, of reports that were refused too.
            tell: is told what became of them; the newest of a session's counts.
        """
        while not self._room.is_set():  # whoever went on before may have taken it
            await self._room.wait()
        pending = self._pending.setdefault(session.id, Pending(session, tell))
        pending.tell = tell
        pending.seen = max(pending.seen, seen)
        for hosted, report in reports:
            entry = Entry(hosted, report, report.sequence)
            before = pending.entries.get(hosted.key)
            pending.entries[hosted.key] = entry if before is None else before.then(entry)
            self._count += before is None
        self._signal()

    def _signal(self) -> None:
        set_if(self._some, self._pending)
        set_if(self._many, self._count >= UNITS_A_REVISION)
        set_if(self._room, self._count < MAXIMUM_PENDING)

    async def run(self) -> None:
        """Writes what comes, until it is cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            await self._some.wait()
            await self._gather()
            batch = self._take()
            try:
                await self._write(batch)
                pause = FIRST_PAUSE_S
            except Refused as refused:
                self._put_back(batch)
                log.warning("reports_wait", reason=refused.reason, units=self._count)
                await asyncio.sleep(random.uniform(pause / 2, pause))
                pause = min(pause * 2, LONGEST_PAUSE_S)
            except Exception:  # the top of a background loop
                log.exception("reports_failed", sessions=len(batch))
                await self._write_singly(batch)

    async def _gather(self) -> None:
        """Lets more come, for a moment, unless there is enough for a revision."""
        try:
            async with asyncio.timeout(GATHER_S):
                await self._many.wait()
        except TimeoutError:
            return

    def _take(self) -> Batch:
        """The oldest reports, as many as one revision may carry."""
        batch: Batch = []
        room = UNITS_A_REVISION
        for name in list(self._pending):
            pending = self._pending[name] = self._pending.pop(name)  # the next to wait longest
            keys = list(islice(pending.entries, room))
            batch.append((pending.session, [pending.entries.pop(key) for key in keys]))
            room -= len(keys)
            if not room:
                break
        self._count -= UNITS_A_REVISION - room
        return batch

    def _put_back(self, batch: Batch) -> None:
        """What could not be written waits again, before what came meanwhile."""
        for session, entries in batch:
            pending = self._pending[session.id]
            newer = pending.entries
            pending.entries = {each.hosted.key: each for each in entries}
            for key, entry in newer.items():
                older = pending.entries.get(key)
                pending.entries[key] = entry if older is None else older.then(entry)
        self._recount()

    def _recount(self) -> None:
        self._count = sum(len(pending.entries) for pending in self._pending.values())
        self._signal()

    async def _write(self, batch: Batch) -> None:
        answer = await self._store.transact(lambda unit: self._written(unit, batch))
        for session, _ in batch:
            pending = self._pending[session.id]
            outcome = answer.value[session.id]
            outcome.acknowledged = pending.acknowledged()
            if not pending.entries:
                del self._pending[session.id]
            pending.tell(outcome)
        self._signal()

    async def _write_singly(self, batch: Batch) -> None:
        """After a fault of our own: the session that met it must not hold up the others."""
        for session, entries in batch:
            try:
                await self._write([(session, entries)])
            except Refused:
                self._put_back([(session, entries)])
            except Exception:  # the top of a background loop
                log.exception("reports_lost", session=session.id, units=len(entries))
                self._pending.pop(session.id).tell(Outcome(has_failed=True))
                self._recount()

    def _written(self, unit: UnitOfWork, batch: Batch) -> dict[str, Outcome]:
        learn(unit, batch)
        keys = [each.hosted.key for _, entries in batch for each in entries]
        before = standings_of(unit, keys, lock=True)
        outcomes = {session.id: Outcome() for session, _ in batch}
        taken: list[Taken] = []
        for session, entries in batch:
            outcome = outcomes[session.id]
            for each in entries:
                standing = before.get(each.hosted.key)
                if standing is None or standing.session != session.id:
                    outcome.stale.add(each.hosted.key)
                elif standing.sequence < each.report.sequence:
                    taken.append((session, each, standing))
                elif standing.sequence == each.report.sequence:
                    # Written before, by a commit whose answer was lost.
                    dataset = standing.dataset
                    outcome.written[standing.key] = Written(each.report, dataset, dataset)
        stale = [session for session, outcome in outcomes.items() if outcome.stale]
        for ended in ended_among(unit, stale) if stale else ():
            outcomes[ended].has_ended = True
        self._save(unit, taken, outcomes)
        return outcomes

    def _save(
        self, unit: UnitOfWork, taken: Sequence[Taken], outcomes: Mapping[str, Outcome]
    ) -> None:
        if not taken:
            return
        bases = self._configurations.bases(unit, (start_of(e, s) for _, e, s in taken))
        held = conditions_of(unit, [s.key for _, _, s in taken if s.has_conditions])
        now_us, steady_us = unit.claim().now_us, steady_now_us()
        after = []
        for session, entry, standing in taken:
            outcome = outcomes[session.id]
            dataset = judged(entry, standing, bases[start_of(entry, standing)], outcome)
            after.append(
                reported(
                    before_of(session, entry.hosted, standing, held.get(standing.key, NOTHING)),
                    entry.report,
                    now_us=now_us,
                    steady_us=steady_us,
                    dataset=dataset,
                )
            )
            outcome.written[standing.key] = Written(
                entry.report, dataset, standing.dataset, standing.key in held
            )
        save_statuses(unit, after, tests=NEWER_REPORT)


Taken = tuple[Session, Entry, Standing]
"""A report that changes something, with what its unit's status was."""


def start_of(entry: Entry, standing: Standing) -> Start:
    return (*entry.hosted.version, entry.report.dataset or standing.dataset)


def before_of(session: Session, hosted: HostedUnit, standing: Standing, held: HeldByType) -> Before:
    return Before(
        hosted.id,
        hosted.key,
        session.unit_server,
        session.id,
        State(standing.state),
        standing.state_time_us,
        told(held),
    )


def judged(entry: Entry, standing: Standing, basis: Basis, outcome: Outcome) -> str:
    """Hash of the dataset that counts as the unit's; one that is unknown or contradicts its
    template changes nothing. One that counts already, and is in no store, is unknown too."""
    digest = entry.report.dataset
    if not digest:
        return standing.dataset
    if basis.contradiction is not None and digest != standing.dataset:
        template = basis.narrowing.template
        outcome.contradicting[standing.key] = contradicting(
            entry.hosted.id, template, digest, basis.contradiction
        )
        return standing.dataset
    if not basis.dataset and basis.contradiction is None:
        outcome.unknown.setdefault(digest, set()).add(standing.key)
        return standing.dataset
    return digest


def learn(unit: UnitOfWork, batch: Batch) -> None:
    """Spares the transaction the look-up of ids that are known here."""
    for session, entries in batch:
        unit.keys.learn(Kind.UNIT_SERVER, session.unit_server, session.unit_server_key)
        for each in entries:
            unit.keys.learn(Kind.CONTROL_UNIT, each.hosted.id, each.hosted.key)


def steady_now_us() -> int:
    """The steady clock of this process, in microseconds."""
    return time.monotonic_ns() // 1000


def set_if(event: asyncio.Event, condition: object) -> None:
    if condition:
        event.set()
    else:
        event.clear()
