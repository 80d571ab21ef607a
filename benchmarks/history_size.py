"""History size: what a database holds after 100,000 small edits, and what an edit costs in bytes.

98,000 of them are made in bundles of 4,900, the rest one by one, as people do: each of these has a
change set and a request of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from benchmarks.stage import Stage
from benchmarks.table import print_table
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, edited, steps_of
from metadata_server.domain.intent.template import Template
from metadata_server.store import requests
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

UNITS, BUNDLES, SINGLES = 4_900, 20, 2_000
OVERRIDES = ("current", "polarity", "stby", "ramp_rate")
REASON = "Raise the limit of the current for tonight's run"
SQLITE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
MARIADB = (
    "SELECT SUM(file_size) FROM information_schema.innodb_sys_tablespaces "
    "WHERE name LIKE CONCAT(DATABASE(), '/%')"
)


async def history_size(stage: Stage) -> None:
    """Prints sizes after each part, and bytes an edit."""
    databases = {
        "SQLite": f"sqlite:///{stage.folder / 'history_size.db'}",
        "MariaDB": stage.mariadb.url(stage.mariadb.create_database()),
    }
    rows: list[tuple[object, ...]] = []
    for name, url in databases.items():
        with opened_store(url) as store:
            change(store, lambda unit: [unit.save(each) for each in facility()], "declare")
            sizes = [size(store)]
            for number in range(BUNDLES):
                change(store, edit_all(number), f"bundle-{number}")
            sizes.append(size(store))
            for number in range(SINGLES):
                change(store, edit_one(number), f"one-{number}")
            sizes.append(size(store))
        declared, bundled, all_ = (each / 2**20 for each in sizes)
        of_bundles = (sizes[1] - sizes[0]) / (BUNDLES * UNITS)
        of_singles = (sizes[2] - sizes[1]) / SINGLES
        rows.append((name, declared, bundled, all_, of_bundles, of_singles))
    print_table(
        f"History size: {UNITS:,} units of {len(OVERRIDES)} overrides, "
        f"{BUNDLES * UNITS + SINGLES:,} edits of one field",
        [
            "",
            "before, MB",
            f"{BUNDLES * UNITS:,} in bundles",
            f"and {SINGLES:,} single",
            "bytes each",
            "single",
        ],
        rows,
    )


def facility() -> list[Template | ControlUnit]:
    facets = {"minimum": "0.0", "maximum": "100.0", "unit": "A", "increment": "0.05"}
    overrides = tuple(AttributeOverride(each, facets) for each in OVERRIDES)
    units = [
        ControlUnit(
            id=f"ZONE/GROUP/UNIT{number:05}",
            template="T",
            template_version=1,
            description="Power supply of one magnet",
            overrides=overrides,
        )
        for number in range(UNITS)
    ]
    return [Template(id="T", version=1), *units]


def edit_all(number: int) -> Callable[[UnitOfWork], object]:
    steps = steps_of([FieldEdit("overrides[current].maximum", f"{number}.5")])

    def work(unit: UnitOfWork) -> None:
        ids = [f"ZONE/GROUP/UNIT{each:05}" for each in range(UNITS)]
        for each in unit.resources.find(ControlUnit, ids, lock=True).values():
            unit.save(edited(each, steps))

    return work


def edit_one(number: int) -> Callable[[UnitOfWork], object]:
    steps = steps_of([FieldEdit("overrides[current].maximum", f"{number}.25")])

    def work(unit: UnitOfWork) -> None:
        id = f"ZONE/GROUP/UNIT{number % UNITS:05}"
        unit.save(edited(unit.resources.get(ControlUnit, id, lock=True), steps))

    return work


def change(store: Store, work: Callable[[UnitOfWork], object], request_id: str) -> None:
    """A change by a person, with its request."""

    def with_request(unit: UnitOfWork) -> None:
        requests.repeated(unit)
        work(unit)
        requests.remember(unit, {})

    caller = Caller(
        principal=Principal("operator"),
        method="ControlUnits.UpdateControlUnit",
        reason=REASON,
        request_id=request_id,
        payload_hash="0" * 64,
    )
    store.transact_now(with_request, caller=caller)


def size(store: Store) -> int:
    """Bytes on the disk, of all tables with their indexes."""
    with store.database.reading.connect() as connection:
        query = SQLITE if store.database.is_sqlite else MARIADB
        return int(connection.execute(text(query)).scalar_one())
