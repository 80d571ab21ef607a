"""Keeps what holds of units besides their state: looks at units when something of them has
changed, and at all that are hosted now and then. Where nothing changes, nothing is written."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import structlog

from metadata_server.domain.life.condition import NOT_CONVERGING
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused
from metadata_server.services.life.configurations import Configurations
from metadata_server.services.life.judgement import Judge, Verdict
from metadata_server.store.chores import CONDITIONS, claim_chore
from metadata_server.store.intent.declarations import Hosted, hosted_after
from metadata_server.store.life.conditions import (
    keys_holding,
    keys_with_conditions,
    told,
    write_conditions,
)
from metadata_server.store.life.deaths import units_of_the_dying
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

UNITS_AT_ONCE = 500
MOST_WAITING = 100_000
"""Units that wait to be looked at; what comes beyond is found by the next round over all."""
LOOK_OVER_US = 60_000_000
PAUSE_S = 1.0
log = structlog.get_logger()


class Conditions:
    """One replica at a time looks over all hosted units; each looks at what it hears of."""

    def __init__(self, store: Store, configurations: Configurations, timing: Timing) -> None:
        self._store = store
        self._judge = Judge(configurations, grace_us=timing.grace_us)
        self._due: dict[int, float] = {}
        self._changed: set[int] = set()
        self._lost: set[str] = set()
        self._claims: dict[int, str] = {}
        self._well: dict[int, Hosted] = {}
        self._some = asyncio.Event()

    def look_at(self, keys: Iterable[int], *, claims: Mapping[int, str] | None = None) -> None:
        """Has units looked at, soon.

        Args:
            claims: hashes of the datasets that they have just reported, by key.
        """
        now = time.monotonic()
        for key in keys:
            if len(self._due) < MOST_WAITING or key in self._due:
                self._due[key] = now
                if claims and key in claims:
                    self._claims[key] = claims[key]
        self._some.set()

    def changed(self, keys: Collection[int]) -> None:
        """Units have been declared otherwise: what was found to hold of them may hold no more."""
        if len(self._changed) < MOST_WAITING:
            self._changed.update(keys)
        self._some.set()

    def lost(self, session: str) -> None:
        """A session has ended without a good-bye: perhaps one of many."""
        if len(self._lost) < MOST_WAITING:
            self._lost.add(session)
        self._some.set()

    async def run(self) -> None:
        """Looks at what it is told to look at, until it is cancelled."""
        while True:
            await self._wait()
            try:
                await self._take_changed()
                await self._take_lost()
                await self._take_due()
            except Refused as refused:
                log.warning("conditions_wait", reason=refused.reason)
                await self._try_again()
            except Exception:  # the top of a background loop
                log.exception("conditions_failed")
                await self._try_again()

    async def _try_again(self) -> None:
        """What has not been taken waits no longer than a pause, though nothing else happens."""
        await asyncio.sleep(random.uniform(PAUSE_S / 2, PAUSE_S))
        self._some.set()

    async def patrol(self) -> None:
        """Looks over all hosted units, when it is time and no other replica does, until it is
        cancelled."""
        while True:
            await asyncio.sleep(LOOK_OVER_US / 1_000_000 * random.uniform(0.5, 1.0))
            try:
                due = await self._store.transact(
                    lambda unit: claim_chore(unit, CONDITIONS, every_us=LOOK_OVER_US)
                )
                if due.value:
                    await self.look_over()
            except Refused as refused:
                log.warning("conditions_wait", reason=refused.reason)
            except Exception:  # the top of a background loop
                log.exception("conditions_failed")

    async def look_over(self) -> None:
        """Looks at all hosted units once; closely only at those of which something has changed
        since they were found to be well. And at those that were found not to converge, hosted or
        not.

        Raises:
            Refused: DATABASE_UNAVAILABLE, CONTENTION.
        """
        well: dict[int, Hosted] = {}
        after, size = -1, UNITS_AT_ONCE
        while size == UNITS_AT_ONCE:
            some = await self._hosted_after(after)
            same = {one.key: one for one in some if self._well.get(one.key) == one}
            rest = [one.key for one in some if one.key not in same or one.has_conditions]
            verdicts = await self._check(rest)
            found = {one.key: one for one in some if is_well(verdicts.get(one.key))}
            well |= same | found
            after, size = some[-1].key if some else after, len(some)
        self._well = well
        await self._look_over_the_stuck()

    async def _look_over_the_stuck(self) -> None:
        after, size = -1, UNITS_AT_ONCE
        while size == UNITS_AT_ONCE:
            stuck = await self._stuck_after(after)
            await self._check(stuck)
            after, size = stuck[-1] if stuck else after, len(stuck)

    async def _stuck_after(self, key: int) -> list[int]:
        answer = await self._store.read(
            lambda unit: keys_holding(unit, NOT_CONVERGING, key, limit=UNITS_AT_ONCE)
        )
        return answer.value

    async def _hosted_after(self, key: int) -> list[Hosted]:
        answer = await self._store.read(lambda unit: hosted_after(unit, key, limit=UNITS_AT_ONCE))
        return answer.value

    async def _wait(self) -> None:
        """Until there is something to look at."""
        due_s = min(self._due.values(), default=None)
        try:
            async with asyncio.timeout(None if due_s is None else due_s - time.monotonic()):
                await self._some.wait()
        except TimeoutError:
            return
        finally:
            self._some.clear()

    async def _take_changed(self) -> None:
        """Of units that were declared otherwise those are looked at of which something holds;
        the others are looked at where they are hosted."""
        if self._changed:
            changed = set(self._changed)
            answer = await self._store.read(lambda unit: keys_with_conditions(unit, changed))
            self._changed -= changed
            self.look_at(answer.value)

    async def _take_lost(self) -> None:
        if self._lost:
            lost = set(self._lost)
            answer = await self._store.read(lambda unit: units_of_the_dying(unit, lost))
            self._lost -= lost
            self.look_at(answer.value)

    async def _take_due(self) -> None:
        now = time.monotonic()
        due = [key for key, due_s in self._due.items() if due_s <= now]
        for start in range(0, len(due), UNITS_AT_ONCE):
            some = due[start : start + UNITS_AT_ONCE]
            claims = {key: self._claims[key] for key in some if key in self._claims}
            looked_at = {key: self._due[key] for key in some}
            verdicts = await self._check(some, claims)
            for key, due_s in looked_at.items():
                if self._due.get(key) == due_s:  # nobody has asked for it again meanwhile
                    self._done(key, verdicts.get(key))

    def _done(self, key: int, verdict: Verdict | None) -> None:
        self._due.pop(key, None)
        self._claims.pop(key, None)
        if verdict is not None and verdict.wait_us:
            self._due[key] = time.monotonic() + verdict.wait_us / 1_000_000

    async def _check(
        self, keys: Collection[int], claims: Mapping[int, str] | None = None
    ) -> dict[int, Verdict]:
        """Looks at units, and writes what holds of them now where it was otherwise."""
        said = claims or {}
        if not keys:
            return {}
        answer = await self._store.read(lambda unit: self._judge.verdicts(unit, keys, said))
        differing = [key for key, verdict in answer.value.items() if verdict.differs]
        if differing:
            await self._store.transact(lambda unit: self._write(unit, differing, said))
        return answer.value

    def _write(self, unit: UnitOfWork, keys: Collection[int], claims: Mapping[int, str]) -> None:
        verdicts = self._judge.verdicts(unit, keys, claims, lock=True)
        after = {key: verdict.after for key, verdict in verdicts.items() if verdict.differs}
        news = [
            replace(status, conditions=told(after[key]))
            for key, status in statuses_of(unit, after, lock=True).items()
            if status.conditions != told(after[key])
        ]
        if news:
            save_statuses(unit, news)
        write_conditions(unit, after)


def is_well(verdict: Verdict | None) -> bool:
    """Whether nothing holds of a unit, nor will unless something changes."""
    return verdict is not None and not verdict.after and not verdict.wait_us
