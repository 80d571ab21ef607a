"""A replica's tailer and watchers on a store, and writers that work against each other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.watch import Event, Notice, WatchFilter
from metadata_server.services.watching.tailer import Tailer
from metadata_server.services.watching.watch import Watching
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
EVERYTHING = WatchFilter()
DEADLINE_S = 20


@dataclass(frozen=True)
class Following:
    """One replica's followers."""

    store: Store
    tailer: Tailer
    watching: Watching

    async def until(
        self,
        done: Callable[[Notice], bool],
        *,
        after: Position | None = None,
        wanted: WatchFilter = EVERYTHING,
    ) -> list[Notice]:
        """Notices up to and including the first for which `done` holds."""
        found = []
        async with (
            asyncio.timeout(DEADLINE_S),
            aclosing(self.watching.watch(wanted, after)) as notices,
        ):
            async for notice in notices:
                found.append(notice)
                if done(notice):
                    break
        return found

    async def up_to(
        self, revision: int, *, after: Position | None = None, wanted: WatchFilter = EVERYTHING
    ) -> list[Notice]:
        """Notices up to the one that has come to a revision."""
        return await self.until(
            lambda notice: notice.position.revision >= revision, after=after, wanted=wanted
        )

    async def present(self) -> Position:
        return (await self.store.read(lambda _: None)).position


@asynccontextmanager
async def following(
    store: Store, *, age_s: float = 600, bookmark_s: float = 0.1, period_s: float = 0.1
) -> AsyncIterator[Following]:
    tailer = Tailer(store, period_s=period_s)
    task = asyncio.create_task(tailer.run())
    try:
        yield Following(store, tailer, Watching(tailer, age_s=age_s, bookmark_s=bookmark_s))
    finally:
        task.cancel()
        await asyncio.wait([task])


async def write(store: Store, *ids: str) -> Position:
    """Creates or changes variables, all in one revision."""

    def work(unit: UnitOfWork) -> None:
        present = unit.resources.find(Variable, ids, lock=True)
        for name in sorted(ids):
            variable = present.get(name, Variable(id=name))
            unit.save(replace(variable, value=f"{variable.value}x"))

    return (await store.transact(work, caller=CALLER)).position


async def delete(store: Store, name: str) -> Position:
    def work(unit: UnitOfWork) -> None:
        unit.delete(unit.resources.get(Variable, name, lock=True))

    return (await store.transact(work, caller=CALLER)).position


async def write_at_once(store: Store, *, writers: int, revisions: int) -> dict[int, set[str]]:
    """Writers that each write some revisions of one to three variables, partly the same ones;
    ids by revision."""
    written = {}

    async def writer(number: int) -> None:
        for step in range(revisions):
            ids = {f"W{number}/{step}", f"shared/{step % 3}"}
            if step % 2:
                ids |= {f"W{number}/again"}
            position = await write(store, *ids)
            written[position.revision] = ids

    async with asyncio.TaskGroup() as tasks:
        for number in range(writers):
            tasks.create_task(writer(number))
    return written


def events(notices: list[Notice]) -> list[Event]:
    return [event for notice in notices for event in notice.events]


def told(notices: list[Notice]) -> dict[int, set[str]]:
    """Ids by revision."""
    found: dict[int, set[str]] = {}
    for event in events(notices):
        found.setdefault(event.change.revision, set()).add(event.id)
    return found
