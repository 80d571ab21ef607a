"""As of: a first page of 100 out of 100,000 units with a million revisions, now and then."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

from benchmarks.long_past import CHANGES, UNITS, LongPast, live
from benchmarks.stage import Stage
from benchmarks.table import print_table
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.store.intent.lists import resource_page
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store
from tests.stages.shelves import shelf_of

PAGE, TIMES = 100, 15
GOAL_MS = 100
UNIT = Selection(kind=Kind.CONTROL_UNIT)
SELECTIONS = {
    "all units": UNIT,
    "id prefix Z3/G5": replace(UNIT, id_prefix="Z3/G5"),
    "zone Z7": replace(UNIT, zone="Z7"),
    "template of a third": replace(UNIT, template="T0"),
    "template of a fortieth": replace(UNIT, template="T5"),
    "unit server": replace(UNIT, unit_server="S17"),
    "zone and template": replace(UNIT, zone="Z7", template="T5"),
    "unit servers": Selection(kind=Kind.UNIT_SERVER),
}


async def as_of(stage: Stage) -> None:
    """Prints the times on SQLite."""
    measure("SQLite", f"sqlite:///{stage.folder / 'as_of.db'}")


async def as_of_mariadb(stage: Stage) -> None:
    """Prints the times on MariaDB, which takes some minutes to be filled."""
    name = stage.mariadb.create_database()
    measure("MariaDB", stage.mariadb.url(name))
    stage.mariadb.drop_database(name)


def measure(database: str, url: str) -> None:
    with opened_store(url) as store:
        began = time.perf_counter()
        past = live(store)
        filled_s = time.perf_counter() - began
        rows = [
            (name, *(median_ms(store, selection, moment) for moment in moments(past)))
            for name, selection in SELECTIONS.items()
        ]
    print_table(
        f"A page of {PAGE} of {UNITS:,} units with {UNITS + CHANGES:,} images on {database} "
        f"(filled in {filled_s:.0f} s), median of {TIMES}, ms; goal: < {GOAL_MS}",
        ["", "now", "a minute ago", "halfway", "at the beginning"],
        rows,
    )


def moments(past: LongPast) -> list[str]:
    """As callers write them."""
    return ["", *map(str, (past.last - 60, (past.first + past.last) // 2, past.first + 10))]


def median_ms(store: Store, selection: Selection, moment: str) -> float:
    type_ = UnitServer if selection.kind is Kind.UNIT_SERVER else ControlUnit
    wanted = replace(selection, as_of=moment)
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        page = store.read_now(
            lambda unit: resource_page(unit, type_, wanted, shelf_of(type_), size=PAGE)
        )
        taken.append((time.perf_counter() - began) * 1000)
        assert page.value.items
    return statistics.median(taken)
