"""A facility with a long past: 100,000 units that were changed 900,000 times, one at a time.

Its rows are made as the store makes them, and inserted many at once: living through it would take
an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Action, Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.resource import Meta
from metadata_server.store import schema
from metadata_server.store.images import content_of, image_of, row_of
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

UNITS, CHANGES, ZONES, GROUPS = 100_000, 900_000, 10, 100
TEMPLATES, SERVERS = 28, 1_600
STRIDE = 77_773
"""Prime: each unit is changed as often, and neighbours at very different times."""
MOVES_EVERY = 100
ROWS = 10_000
START_US = 1_700_000_000_000_000
CALLER = Caller(principal=Principal("bench"), method="Benchmarks.LongPast")
Rows = Iterator[tuple[Table, dict[str, Any]]]


class LongPast:
    """The rows of it.

    Attributes:
        first: revision that created all units.
        last: revision of the last change.
    """

    def __init__(self, first: int, templates: list[int], servers: list[int]) -> None:
        self.first = first
        self.last = first + CHANGES
        self._templates = templates
        self._servers = servers
        self._present = [self._unit(number) for number in range(UNITS)]
        self._since = [first] * UNITS

    def _unit(self, number: int) -> ControlUnit:
        """A third of all units is of the first template, as at real sites."""
        template = 0 if number % 3 == 0 else number % TEMPLATES
        meta = Meta(number + 1_000_000, 1, self.first, START_US, START_US)
        return ControlUnit(
            id=f"Z{number % ZONES}/G{number // ZONES % GROUPS:02}/U{number:06}",
            template=f"T{template}",
            template_version=1,
            unit_server=f"S{number % SERVERS}",
            description="a unit of a long past",
            labels={"line": "north"},
            meta=meta,
        )

    def _key_of(self, kind: object, id: str) -> int:
        keys = self._templates if kind == Template.kind else self._servers
        return keys[int(id[1:])]

    def rows(self) -> Rows:
        """All rows, in the order of revisions; at the end those of today."""
        for number, unit in enumerate(self._present):
            yield self._image(unit, Action.CREATED, ordinal=number)
        yield self._change_set(self.first)
        for change in range(CHANGES):
            yield from self._changed(change)
        layout = LAYOUTS[ControlUnit.kind]
        for number, unit in enumerate(self._present):
            content = content_of(unit, layout, self._key_of)
            yield layout.table, row_of(unit, content, layout)
            yield self._span(number, until=None)

    def _changed(self, change: int) -> Rows:
        number = change * STRIDE % UNITS
        revision = self.first + change + 1
        before = self._present[number]
        server = before.unit_server
        if change % MOVES_EVERY == 0:
            yield self._span(number, until=revision)
            self._since[number] = revision
            server = f"S{change % SERVERS}"
        meta = Meta(
            before.meta.key,
            before.meta.generation + 1,
            revision,
            START_US,
            START_US + revision * 1_000_000,
        )
        after = ControlUnit(
            id=before.id,
            template=before.template,
            template_version=1,
            unit_server=server,
            description=f"changed in {revision}",
            labels=before.labels,
            meta=meta,
        )
        self._present[number] = after
        yield self._image(after, Action.UPDATED)
        yield self._change_set(revision)

    def _image(self, unit: ControlUnit, action: Action, ordinal: int = 0) -> tuple[Table, Any]:
        content = content_of(unit, LAYOUTS[unit.kind], self._key_of)
        return schema.history, {
            "revision": unit.meta.revision,
            "ordinal": ordinal,
            "kind": unit.kind.value,
            "key": unit.meta.key,
            "action": action.value,
            "image": image_of(unit, content),
        }

    def _change_set(self, revision: int) -> tuple[Table, Any]:
        return schema.change_set, {
            "revision": revision,
            "time_us": START_US + revision * 1_000_000,
            "author": "bench",
            "authenticated": False,
            "reason": "",
            "request_id": "",
            "method": CALLER.method,
            "client": "",
        }

    def _span(self, number: int, *, until: int | None) -> tuple[Table, Any]:
        unit = self._present[number]
        return schema.name, {
            "kind": unit.kind.value,
            "id": unit.id,
            "from_revision": self._since[number],
            "to_revision": until,
            "key": unit.meta.key,
            "template_key": self._key_of(Template.kind, unit.template),
            "unit_server_key": self._key_of(UnitServer.kind, unit.unit_server),
        }


def live(store: Store) -> LongPast:
    """Fills a store with a long past."""

    def declare(unit: UnitOfWork) -> tuple[list[int], list[int]]:
        templates = [unit.save(Template(id=f"T{n}", version=1)) for n in range(TEMPLATES)]
        servers = [unit.save(UnitServer(id=f"S{n}")) for n in range(SERVERS)]
        return [each.meta.key for each in templates], [each.meta.key for each in servers]

    answer = store.transact_now(declare, caller=CALLER)
    past = LongPast(answer.position.revision + 1, *answer.value)
    with store.database.writing.connect() as connection:
        insert(connection, past.rows())
        value = {"value": past.last, "time_us": START_US + past.last * 1_000_000}
        connection.execute(schema.revision.update().values(value))
        connection.commit()
    return past


def insert(connection: Connection, rows: Rows) -> None:
    while some := list(islice(rows, ROWS)):
        by_table: dict[Table, list[dict[str, Any]]] = {}
        for table, row in some:
            by_table.setdefault(table, []).append(row)
        for table, of_table in by_table.items():
            connection.execute(table.insert(), of_table)
        connection.commit()  # while the next rows are made, the writer would be taken for dead
