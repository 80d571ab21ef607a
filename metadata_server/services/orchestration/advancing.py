"""Carries operations on: whichever replica claims one first, for as long as it keeps saying so.

There is no leader. Each replica looks for operations that nobody holds; a lease that is not
renewed runs out, by the database's clock, and another replica takes the operation up.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

import structlog

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import Asker, Rank
from metadata_server.services.claiming import Claiming
from metadata_server.services.orchestration.advance import Advance, Hold, give_up
from metadata_server.services.orchestration.holding import Holding
from metadata_server.services.watching.following import keep_following
from metadata_server.services.watching.subscription import Batch
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.orchestration.operations import (
    Fenced,
    claim_operation,
    due_operations,
    release_operations,
)
from metadata_server.store.store import Store
from metadata_server.store.traces import NoTraces, Traces
from metadata_server.store.turns import asking
from metadata_server.store.unit_of_work import UnitOfWork

LEASE_US = 4_000_000
LOOK_S = 0.8
"""With the lease it makes less than the 5 s that the death of a replica may cost."""
AS_PEOPLE = Asker("operations", Rank.PEOPLE, is_patient=True)
MOST_HELD = 100
"""Operations that one replica carries on at once; the others wait for a place, or a replica."""
MOST_FAILURES = 5
"""After so many in a row an operation waits for people; in a quarter of a minute or so."""
KINDS = frozenset({Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS})
log = structlog.get_logger()


class Advancing:
    """The operations that one replica carries on.

    Args:
        replica: its name, for people.
        traces: are told of steps that have ended.
    """

    def __init__(
        self, store: Store, tailer: Tailer, *, replica: str, traces: Traces | None = None
    ) -> None:
        self._store = store
        self._tailer = tailer
        self._replica = replica
        self._traces = traces or NoTraces()
        self._held: dict[int, Advance] = {}
        self._failures: Counter[int] = Counter()
        self._by_unit: dict[int, set[int]] = defaultdict(set)
        self._claiming = Claiming(
            "operations", LOOK_S, tailer.draining, claim=self._claim, carry_on=self._carry_on
        )
        self._some = asyncio.Event()

    @property
    def held(self) -> int:
        """How many operations it carries on now."""
        return len(self._held)

    def look(self) -> None:
        """Has it look for operations at once."""
        self._claiming.look()

    async def run(self) -> None:
        """Claims operations and carries them on, until it is cancelled, or the replica drains."""
        asking.set(AS_PEOPLE)  # each is for somebody, and a hundred of them must not hold up beats
        async with asyncio.TaskGroup() as tasks:
            holding = Holding(self._store, self._tailer, on_due=self.look)
            beside = [tasks.create_task(each) for each in (self._listen(), holding.run())]
            carried = await self._claiming.run(tasks)
            for task in beside:
                task.cancel()
            await self._let_go(carried)

    async def _let_go(self, holds: Sequence[Hold]) -> None:
        """Leaves operations to other replicas, without having them wait for a lease."""
        if not holds:
            return
        pairs = [(hold.key, hold.fence) for hold in holds]
        try:
            await self._store.transact(lambda unit: release_operations(unit, pairs))
        except Refused as refused:
            log.warning("operations_left", reason=refused.reason)
        except Exception:  # nor then: their leases run out
            log.exception("operations_left")

    async def _claim(self) -> list[Hold]:
        """Takes operations that nobody holds."""
        room = MOST_HELD - len(self._held)
        if room <= 0:
            return []
        due = [
            key for key in (await self._store.read(due_operations)).value if key not in self._held
        ]
        holds = []
        for key in due[:room]:
            claim = partial(claimed, key=key, replica=self._replica)
            try:
                fence = (await self._store.transact(claim)).value
            except Refused as refused:  # what was claimed before has to be carried on
                log.warning("claims_wait", of="operations", reason=refused.reason)
                break
            if fence is not None:
                holds.append(Hold(key, fence, self._replica, LEASE_US))
        return holds

    async def _carry_on(self, hold: Hold) -> None:
        """Carries one operation on; what goes wrong leaves it to whoever claims it next, and to
        people when it goes wrong again and again."""
        advance = Advance(self._store, hold, self._traces)
        self._held[hold.key] = advance
        self._some.set()
        keys: Iterable[int] = ()
        try:
            keys = await advance.load()
            for key in keys:
                self._by_unit[key].add(hold.key)
            advance.look_again()  # what was heard of its units before is not lost
            await advance.run()
            del self._failures[hold.key]
        except Fenced:
            del self._failures[hold.key]
            self.look()
        except Refused as refused:
            log.warning("operation_left", reason=refused.reason)
        except Exception as error:  # the top of a background loop
            log.exception("operation_failed")
            await self._count_failure(hold, advance, error)
        finally:
            self._held.pop(hold.key, None)
            for key in keys:
                self._by_unit[key].discard(hold.key)
                if not self._by_unit[key]:
                    del self._by_unit[key]

    async def _count_failure(self, hold: Hold, advance: Advance, error: Exception) -> None:
        """Gives an operation up that has failed often without coming on: it would fail for ever."""
        if advance.has_written:
            del self._failures[hold.key]
        self._failures[hold.key] += 1
        if self._failures[hold.key] < MOST_FAILURES:
            return
        del self._failures[hold.key]
        why = (
            f"{self._replica} could not carry this on, {MOST_FAILURES} times: "
            f"{type(error).__name__}, which its log tells as operation_failed."
        )
        try:
            await self._store.transact(partial(give_up, hold=hold, why=why))
        except Fenced:
            self.look()
        except Exception:  # nor then: it fails again
            log.exception("operation_not_given_up")

    async def _listen(self) -> None:
        """Hears of units as long as operations are carried on."""
        await keep_following(self._tailer, self._follow, missed="units_not_heard")

    async def _follow(self) -> None:
        while True:
            await self._some.wait()
            async with self._tailer.subscribe(kinds=KINDS) as changes:
                for advance in self._held.values():
                    advance.look_again()
                while self._held:
                    batch = await changes.next(1.0)
                    if batch is not None:
                        self._pass_on(batch)
            self._some.clear()

    def _pass_on(self, batch: Batch) -> None:
        for change in batch.changes:
            for key in self._by_unit.get(change.key, ()):
                if key in self._held:
                    self._held[key].hear(change.key, change.revision)


def claimed(unit: UnitOfWork, key: int, replica: str) -> int | None:
    return claim_operation(unit, key, replica=replica, lease_us=LEASE_US)
