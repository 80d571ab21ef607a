"""History: pages of changes and comparisons out of a million images."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from benchmarks.long_past import CHANGES, GROUPS, UNITS, ZONES, LongPast, live
from benchmarks.stage import Stage
from benchmarks.table import print_table
from metadata_server.domain.change_set import ChangeSelection, ChangeSetSelection
from metadata_server.domain.intent.comparison import Comparing
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.services.past.comparisons import Comparisons
from metadata_server.services.past.history import History
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store

PAGE, TIMES = 100, 9
UNIT = f"Z3/G{3 // ZONES % GROUPS:02}/U000003"
FEW, MANY = 100, 20_000
Count = Callable[[], Awaitable[int]]


async def history(stage: Stage) -> None:
    """Prints the times on SQLite."""
    with opened_store(f"sqlite:///{stage.folder / 'history.db'}") as store:
        past = await asyncio.to_thread(live, store)
        rows = [(name, *(await measured(work))) for name, work in readings(store, past).items()]
    print_table(
        f"The history of {UNITS:,} units with {UNITS + CHANGES:,} images on SQLite, median of "
        f"{TIMES}",
        ["", "ms", "told"],
        rows,
    )


def readings(store: Store, past: LongPast) -> dict[str, Count]:
    """What is measured, by name."""

    def changes(**filters: object) -> Count:
        selection = ChangeSelection(**filters)  # type: ignore[arg-type]

        async def work() -> int:
            page = await History(store).list_changes(selection, size=PAGE, token="")
            return len(page.value.items)

        return work

    async def change_sets() -> int:
        page = await History(store).list_change_sets(ChangeSetSelection(), size=PAGE, token="")
        return len(page.value.items)

    def compared(revisions: int, **filters: object) -> Count:
        earlier = Moment(revision=past.last - revisions)
        wanted = Comparing(earlier=earlier, **filters)  # type: ignore[arg-type]

        async def work() -> int:
            parts = Comparisons(store).compare(wanted)
            return sum([len(part.differences) async for part in parts])

        return work

    return {
        "changes, newest": changes(),
        "changes of one unit": changes(kind=Kind.CONTROL_UNIT, id=UNIT),
        "changes in a zone": changes(id_prefix="Z3/"),
        "changes in a group": changes(id_prefix="Z3/G07/"),
        "changes of a kind, one look back": changes(kinds=(Kind.TEMPLATE,)),
        "changes halfway": changes(until=Moment(revision=past.last // 2)),
        "change sets": change_sets,
        f"compare {FEW} revisions": compared(FEW),
        f"compare {MANY:,} revisions, a zone": compared(MANY, id_prefix="Z3/"),
        f"compare {MANY:,} revisions": compared(MANY),
    }


async def measured(work: Count) -> tuple[float, int]:
    """Median in ms, and how much was told."""
    taken, count = [], 0
    for _ in range(TIMES):
        began = time.perf_counter()
        count = await work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), count
