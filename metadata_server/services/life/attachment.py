"""One attached unit server: what it says is passed on, what concerns it is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

import structlog

from metadata_server.domain.change import Position
from metadata_server.domain.intent.fingerprint import digest as digest_of
from metadata_server.domain.life.attachment import not_hosted, session_ended, too_old
from metadata_server.domain.life.registration import Assignment
from metadata_server.domain.life.report import Report
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import ITSELF
from metadata_server.domain.values.live_values import UnitValues
from metadata_server.services.life.arrivals import Expected
from metadata_server.services.life.heartbeats import Word as Renewal
from metadata_server.services.life.hosting import HostedUnit, IdsByKey, Looked, Told, differs
from metadata_server.services.life.leaving import Coming, Leaving
from metadata_server.services.life.means import Means
from metadata_server.services.life.outbox import NotTaken, Outbox, Renewed, Word
from metadata_server.services.life.publication import Published
from metadata_server.services.life.reports import Outcome
from metadata_server.services.life.resets import check_history
from metadata_server.services.watching.pieces import is_ahead
from metadata_server.store.life.endings import end_now
from metadata_server.store.store import Answer
from metadata_server.store.turns import on_behalf_of

STRIKES = 2
"""Heartbeats in a row whose digest differs before everything is told again, both ways."""
STRIKES_FORGIVEN = -12
APPLYING_S = 0.1
"""Between looks for what a node of the database may not have applied yet."""
MOST_DATASETS = 2_000  # of those awaited, and of those refused, that are kept
log = structlog.get_logger()


class Attachment:
    """The stream of one session on this replica; `sent_us`, `tells_let_go`: of its hello.

    Attributes:
        leaving: what it has yet to let go of.
    """

    def __init__(
        self, session: Session, means: Means, sent_us: int = 0, *, tells_let_go: bool = False
    ) -> None:
        self.session = session
        self._means = means
        self._hello_sent_us = sent_us
        self._outbox = Outbox()
        self._hosted: dict[str, HostedUnit] = {}
        self._ids: dict[int, str] = {}
        self._dirty: set[int] = set()
        touch = self._outbox.touch
        self._coming = Coming(session, means, touch, lambda keys: self.mark(keys, self._seen))
        self.leaving = Leaving(session, means, touch, tells=tells_let_go)
        self._all_dirty = self._begun = False
        self._insisted: dict[int, str] = {}
        self._refused_datasets: set[tuple[int, str]] = set()
        self._seen = self._told = Position("", 0, 0)
        self._ended = False
        self._refused: Refused | None = None
        self._awaited: dict[str, set[int]] = {}
        self._digest: str | None = None
        self._strikes = 0

    @property
    def hosted(self) -> int:
        """How many units it hosts."""
        return len(self._hosted)

    # What the unit server is told.

    async def begin(self, position: Position | None) -> None:
        """Reads what it hosts, takes in what came to it while it was away, and has it told what
        changed after a position.

        Raises:
            Refused: HISTORY_RESET, after the session has been ended: a store that was restored
                has forgotten what its units reported, and they must tell it anew.
        """
        hosting, session = self._means.hosting, self.session
        if position is not None:
            await check_history(self._means.store, session, position)
        after = position.revision if position is not None else 0
        answer = await self._means.store.transact(lambda unit: hosting.arrive(unit, session, after))
        look = answer.value
        self._outbox.assign(
            each.assignment
            for each in look.looked.told
            if look.tells_all or each.assignment.unit.meta.revision > after or differs(each.hosted)
        )
        self._outbox.ask_for(look.missing_datasets)
        self._take_in([each.hosted for each in look.looked.told], look.removed, look.position)
        self._coming.wait_for(look.looked.waiting)

    async def begin_expected(self, expected: Expected) -> None:
        """As `begin`, where this replica has just told it what it hosts."""
        hosting, session = self._means.hosting, self.session
        answer = await self._means.store.read(
            lambda unit: hosting.changed(unit, session, expected.position)
        )
        if answer.value is None:
            raise session_ended(session.id)
        changed, removed = answer.value
        hosted = [each for each in expected.hosted if each.key not in removed]
        self._take_in(hosted, removed, answer.position)
        self.mark(changed, answer.position)

    def _take_in(self, hosted: Sequence[HostedUnit], removed: IdsByKey, position: Position) -> None:
        self._seen = self._told = max(self._seen, position)
        self._hosted = {each.id: each for each in hosted}
        self._ids = {each.key: each.id for each in hosted}
        self._begun = True
        self._doubt(hosted)
        self._remove(removed)
        self._outbox.touch()
        self._beat(0.0, self._hello_sent_us)

    async def words(self) -> AsyncGenerator[Word, None]:
        """What it is told, until the stream ends.

        Raises:
            Refused: SESSION_ENDED, ATTACHED_ELSEWHERE, DRAINING, DATABASE_UNAVAILABLE.
        """
        age_s = self._means.stream_age_s * random.uniform(0.9, 1.1)
        end = asyncio.get_running_loop().time() + age_s
        while not self._ended:
            try:
                async with asyncio.timeout_at(end):
                    await self._outbox.waiting.wait()
            except TimeoutError:
                raise too_old() from None
            if not self._ended:
                await self.leaving.look()
                await self._coming.look()
                await self._refresh()
                word = self._outbox.take(self._told)
                word = replace(word, removal=self.leaving.told(word.removed))
                # Marked, or come due, while the others were looked at.
                if self._dirty or self._all_dirty or self.leaving.is_due or self._coming.is_due:
                    self._outbox.touch()
                yield word
        if self._refused is not None:
            raise self._refused

    def end(self, refused: Refused | None) -> None:
        """Ends the stream; None: all is well."""
        if not self._ended:
            self._ended, self._refused = True, refused
            self._outbox.touch()

    def mark(self, keys: Iterable[int], position: Position) -> None:
        """Units that may concern it have changed; everything up to `position` is marked."""
        self._seen = max(self._seen, position)
        before = len(self._dirty)
        self._dirty.update(keys)
        if len(self._dirty) > before:
            self._outbox.touch()

    def mark_all(self) -> None:
        """Anything may have changed."""
        self._all_dirty = True
        self._outbox.touch()

    def cover(self, coverage: Coverage) -> None:
        """Has units looked at that are in maintenance now and were not, or the other way round."""
        server = self.session.unit_server
        turned = [
            each.key
            for each in self._hosted.values()
            if each.in_maintenance != (coverage.find(each.id, server) is not None)
        ]
        self.mark(turned, self._seen)

    def concerning(self, keys: AbstractSet[int]) -> AbstractSet[int]:
        """Units of which a change may have to be told here, wherever they are declared to run now:
        they are hosted here, or were; or what is hosted here has not been read yet."""
        return self._ids.keys() & keys if self._begun else keys

    async def _refresh(self) -> None:
        """Has what has changed told, by comparing what is with what was told."""
        seen = self._seen
        dirty, self._dirty = self._dirty, set()
        if dirty or self._all_dirty:
            keys = None if self._all_dirty else dirty
            self._all_dirty = False
            look = await self._look(keys)
            if keys is not None and any(self._is_renamed(each.hosted) for each in look.value.told):
                # Perhaps others have got the names that these had: they are told together.
                keys, look = None, await self._look(None)
            if is_ahead(seen, look.position):
                await self._put_back(dirty, is_all=keys is None)
                return
            told = look.value.told
            news = [self._assignment(each) for each in told if self._is_news(each)]
            present = {each.hosted.key: each.hosted for each in told}
            gone = (dirty if keys is not None else self._ids.keys()) - present.keys()
            self._remove(self._forget(gone))
            self.leaving.back(present.keys())
            self._forget(key for key, each in present.items() if self._ids.get(key) != each.id)
            self._outbox.assign(news)
            self._doubt(present.values())
            self._hosted |= {each.id: each for each in present.values()}
            self._ids |= {each.key: each.id for each in present.values()}
            self._digest = None
            self._coming.wait_for(look.value.waiting)
        self._told = max(self._told, seen)

    async def _look(self, keys: AbstractSet[int] | None) -> Answer[Looked]:
        hosting, session = self._means.hosting, self.session
        look = await self._means.looks.look(session, keys) if keys is not None else None
        if look is not None:
            return Answer(Looked(look.value), look.position)
        return await self._means.store.transact(lambda unit: hosting.look_at(unit, session, keys))

    async def _put_back(self, dirty: AbstractSet[int], *, is_all: bool) -> None:
        """Has units looked at again: a node that became the writer just now may still be applying
        what the one before it told of."""
        self._dirty |= dirty
        self._all_dirty |= is_all
        await asyncio.sleep(APPLYING_S)

    def _doubt(self, hosted: Iterable[HostedUnit]) -> None:
        """Has units looked at of which something may hold besides their state."""
        self._means.conditions.look_at([each.key for each in hosted if each.is_doubtful])

    def _is_news(self, told: Told) -> bool:
        """Whether people, or whether it can be built at all, have changed something; and, once
        for each configuration, whether the unit has settled on another. That its dataset became
        known is no news to the process that published it."""
        now = told.hosted
        before = self._hosted.get(self._ids.get(now.key, ""))
        if before is None or (before.id, before.generation) != (now.id, now.generation):
            return True
        if before.in_maintenance != now.in_maintenance or bool(before.told) != bool(now.told):
            return True
        if differs(now) and self._insisted.get(now.key) != now.told:
            self._insisted[now.key] = now.told
            return True
        return False

    def _is_renamed(self, hosted: HostedUnit) -> bool:
        return self._ids.get(hosted.key, hosted.id) != hosted.id

    def _assignment(self, told: Told) -> Assignment:
        """What a unit is told, and by which id it was told before, if that was another."""
        known = self._ids.get(told.hosted.key, told.hosted.id)
        former = known if known != told.hosted.id else ""
        return replace(told.assignment, former_id=former)

    def _forget(self, keys: Iterable[int]) -> IdsByKey:
        gone = {key: {self._ids.pop(key)} for key in list(keys) if key in self._ids}
        for (unit_id,) in gone.values():
            self._hosted.pop(unit_id, None)
        return gone

    def _remove(self, gone: IdsByKey) -> None:
        """Has units let go of, by all ids by which they may be known and nothing else is."""
        self.leaving.expect(gone)
        self._outbox.remove({id for ids in gone.values() for id in ids} - self._hosted.keys())

    # What the unit server says.

    def heartbeat(self, age_s: float, digest: str, sent_us: int = 0) -> None:
        """It is alive; and its units use what the digest says."""
        self._beat(age_s, sent_us)
        if self._means.keeper.is_waiting:
            self._outbox.touch()  # the stream is well, though nothing can be renewed
        if digest and self._digest is None:
            used = {each.id: each.applied for each in self._hosted.values() if each.applied}
            self._digest = digest_of(used)
        self._strikes = self._strikes + 1 if digest and digest != self._digest else 0
        if self._strikes == STRIKES:
            log.warning("digest_differs", unit_server=self.session.unit_server)
            self._strikes = STRIKES_FORGIVEN
            for each in self._hosted.values():
                each.generation = 0  # older than any
            self._outbox.ask_for_reports()
            self.mark_all()

    def _beat(self, age_s: float, sent_us: int) -> None:
        self._means.keeper.beat(self.session.id, age_s, partial(self._renewed, sent_us))

    def _renewed(self, sent_us: int, renewal: Renewal, asked: float) -> None:
        if renewal is Renewal.ENDED:
            self.end(session_ended(self.session.id))
        else:
            self._outbox.renewed(Renewed(asked, self._means.timing.lease_us, sent_us))

    async def report(self, reports: Sequence[Report]) -> None:
        """What its units have become; waits while there is too much to write."""
        taken = []
        for report in reports:
            hosted = self._hosted.get(report.control_unit)
            faults = tuple(report.faults())
            if hosted is None:
                self._refuse(report.control_unit, not_hosted(report.control_unit, self.session))
            elif faults:
                self._refuse(report.control_unit, Refused.wrong_fields(faults))
            else:
                taken.append((hosted, report))
        seen = max((report.sequence for report in reports), default=0)
        await self._means.writer.put(self.session, taken, seen, self._written)

    async def value(self, reported: Sequence[UnitValues]) -> None:
        """What inputs of its units are set to; waits while there is too much to write. Of units
        that have left it nothing is kept."""
        taken = []
        for values in reported:
            hosted = self._hosted.get(values.control_unit)
            if hosted is None:
                continue
            if faults := tuple(values.faults()):
                refused = Refused.wrong_fields(faults)
                self._outbox.refuse(NotTaken(values.control_unit, "", refused, of_values=True))
            else:
                taken.append((hosted, values))
        await self._means.values.put(self.session, taken)

    def _refuse(self, control_unit: str, refused: Refused) -> None:
        self._outbox.refuse(NotTaken(control_unit, "", refused))

    def _written(self, outcome: Outcome) -> None:
        if outcome.has_ended:
            self.end(session_ended(self.session.id))
        elif outcome.has_failed:
            self.end(Refused.fault("INTERNAL_FAULT", "Reports of this session met a fault."))
        self._outbox.acknowledge(outcome.acknowledged)
        self._outbox.ask_for(outcome.unknown)
        for digest, keys in outcome.unknown.items():
            self._awaited.setdefault(digest, set()).update(keys)
        if len(self._awaited) > MOST_DATASETS:
            self._awaited.clear()
        for key in outcome.stale & self._ids.keys():
            self._refuse(self._ids[key], not_hosted(self._ids[key], self.session))
            self.mark([key], self._seen)
        for key, refused in outcome.contradicting.items():
            told = (key, refused.metadata["dataset"])
            if told not in self._refused_datasets and key in self._ids:
                if len(self._refused_datasets) >= MOST_DATASETS:
                    self._refused_datasets.clear()  # told once more
                self._refused_datasets.add(told)
                self._outbox.refuse(NotTaken(self._ids[key], told[1], refused))
        claims = {key: each.metadata["dataset"] for key, each in outcome.contradicting.items()}
        self._means.conditions.look_at(claims, claims=claims)
        self._use(outcome)

    def _use(self, outcome: Outcome) -> None:
        """Takes over what units said they use; what they should use may follow from it."""
        for key, written in outcome.written.items():
            hosted = self._hosted.get(self._ids.get(key, ""))
            if hosted is None:
                continue
            report = written.report
            if hosted.applied != report.fingerprint:
                self._digest = None
            hosted.applied, hosted.dataset = report.fingerprint, written.dataset
            hosted.is_settled = report.reached_generation == hosted.generation
            hosted.has_conditions = written.has_conditions
            hosted.is_failing = report.is_failing
            if hosted.is_doubtful and key not in outcome.contradicting:
                claims = {key: report.dataset} if report.dataset else {}
                self._means.conditions.look_at([key], claims=claims)
            changed = written.dataset != written.dataset_before and hosted.applied != hosted.told
            if changed or (differs(hosted) and self._insisted.get(key) != hosted.told):
                self.mark([key], self._seen)

    async def publish(self, datasets: Sequence[Published]) -> None:
        """Datasets that the store lacked."""
        outcome = await self._means.publication.publish(
            self.session,
            datasets,
            list(self._hosted.values()),
            self._awaited,
            history=self._seen.history,
        )
        for each in datasets:
            self._awaited.pop(each.hash, None)
        for not_taken in outcome.not_taken:
            self._outbox.refuse(not_taken)
        self.mark(outcome.changed, self._seen)

    async def say_goodbye(self) -> None:
        """Ends the session at once, and the lives in it."""
        with on_behalf_of(ITSELF):  # before all who come: it makes room for them
            await self._means.store.transact(
                lambda unit: end_now(unit, self.session.id, EndReason.GOOD_BYE)
            )
        self.end(None)
