"""Write cost: what revision, history, change sets and names add to a change of one unit, and to a
bundle of 10,000. The other side runs the same code and statements without them, by turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.engine import Connection

from benchmarks.stage import Stage
from benchmarks.table import print_table
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.bundle import Item, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, edited, steps_of
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.resources import Resources
from metadata_server.store.images import content_of, row_of
from metadata_server.store.keys import batches
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.revision import Moment
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import ROWS_A_STATEMENT, UnitOfWork
from metadata_server.store.upsert import insert_rows, upsert_rows
from tests.stages.opened_store import opened_store

UNITS, SERVERS, SINGLES, BUNDLES = 10_000, 625, 200, 3
GOAL_SINGLE, GOAL_BUNDLE = 2.2, 1.4
CALLER = Caller(principal=Principal("bench"), method="Benchmarks.WriteCost", reason="measured")
CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"maximum": "100"})
HOW = Applying(on_conflict=OnConflict.REPLACE)


class Bare(UnitOfWork):
    """Writes the rows of resources, and nothing that remembers what they were."""

    def claim(self) -> Moment:
        self._claimed = self._begun
        return self._begun

    def flush(self) -> None:
        for kind, layout in LAYOUTS.items():
            rows = {
                each.meta.key: row_of(each, content_of(each, layout, self.keys.key_of), layout)
                for each in (*self._created.values(), *self._changed.values())
                if each.kind is kind
            }
            changed = [row for key, row in rows.items() if key in self._changed]
            if len(changed) == 1:
                self._update_one(layout.table, changed[0])
            else:
                for some in batches(changed, ROWS_A_STATEMENT):
                    upsert_rows(self.connection, layout.table, some)
            created = [row for key, row in rows.items() if key in self._created]
            for some in batches(created, ROWS_A_STATEMENT):
                insert_rows(self.connection, layout.table, some)


class BareStore(Store):
    """A store whose transactions are bare."""

    def _begin(self, connection: Connection, caller: Caller | None) -> UnitOfWork:
        return Bare(connection, self.database, caller)


async def write_cost(stage: Stage) -> None:
    """Prints both ratios on both databases."""
    databases = {
        "SQLite": f"sqlite:///{stage.folder / 'write_cost.db'}",
        "MariaDB": stage.mariadb.url(stage.mariadb.create_database()),
    }
    rows: list[tuple[object, ...]] = []
    for name, url in databases.items():
        with opened_store(url) as store:
            await bundle(store, [*facility(), *units("unit", "1")])
            stores = (store, BareStore(store.database))
            one = await by_turns(stores, SINGLES, update_one)
            created = await by_turns(stores, BUNDLES, create_many)
            changed = await by_turns(stores, BUNDLES, change_many)
        for what, (with_, plain), goal in (
            ("one update, ms", one, GOAL_SINGLE),
            (f"{UNITS:,} created, ms", created, GOAL_BUNDLE),
            (f"{UNITS:,} changed, ms", changed, GOAL_BUNDLE),
        ):
            rows.append((f"{name}: {what}", with_, plain, with_ / plain, f"< {goal}"))
    print_table(
        "Write cost: median with revision and history, and without",
        ["", "with", "without", "ratio", "goal"],
        rows,
    )


Work = Callable[[Store, int], Awaitable[None]]
"""Something to be measured, on a store; the number is another each time."""


async def by_turns(stores: Sequence[Store], times: int, work: Work) -> tuple[float, ...]:
    """Median times of the same work on each store, ms; one after the other, again and again."""
    taken: list[list[float]] = [[] for _ in stores]
    for turn in range(times + 1):
        for place, store in enumerate(stores):
            begun = time.perf_counter()
            await work(store, turn * len(stores) + place)
            if turn:  # the first is for warming up
                taken[place].append((time.perf_counter() - begun) * 1000)
    return tuple(statistics.median(each) for each in taken)


def facility() -> list[Resource]:
    template = Template(id="T", version=1, implementation="::T", attributes=(CURRENT,))
    return [template, *(UnitServer(id=f"S{number:03}") for number in range(SERVERS))]


def units(prefix: str, maximum: str) -> list[Resource]:
    override = AttributeOverride("current", {"maximum": maximum})
    return [
        ControlUnit(
            id=f"ZONE{number % 9}/{prefix}{number:05}",
            template="T",
            unit_server=f"S{number % SERVERS:03}",
            overrides=(override,),
        )
        for number in range(UNITS)
    ]


async def create_many(store: Store, turn: int) -> None:
    await bundle(store, units(f"new{turn}-", "1"))


async def change_many(store: Store, turn: int) -> None:
    await bundle(store, units("unit", str(turn + 2)))


async def bundle(store: Store, resources: Sequence[Resource]) -> None:
    items = [Item("", each.name, each) for each in resources]
    applied = await Bundles(store).apply(CALLER, items, HOW, ApplyProgress())
    assert applied.value.summary.applied


async def update_one(store: Store, turn: int) -> None:
    """A person's change of one limit."""
    number = turn % 9
    steps = steps_of([FieldEdit("overrides[current].maximum", str(turn + 2))])
    await Resources(store).update(
        CALLER,
        ControlUnit,
        f"ZONE{number}/unit{number:05}",
        etag="*",
        change=lambda unit: edited(unit, steps),
        validate_only=False,
    )
