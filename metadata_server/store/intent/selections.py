"""Selections as SQL, over rows of today, and as a test of an image of the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table

from metadata_server.domain.intent.facility import Snapshot
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.resource import Resource
from metadata_server.store.past.history import key_at
from metadata_server.store.unit_of_work import UnitOfWork

REFERENCES = {
    "unit_server": Kind.UNIT_SERVER,
    "template": Kind.TEMPLATE,
    "agent": Kind.AGENT,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """A selection with keys instead of ids.

    Attributes:
        columns: values that columns of the kind's table, and of its images, must have.
        mark: that snapshots must have; empty: any, or none.
    """

    id_prefix: str
    columns: Mapping[str, object]
    mark: str = ""

    def conditions(self, table: Table) -> list[ColumnElement[bool]]:
        return [table.c[name] == value for name, value in self.columns.items()]

    def passes(self, image: Mapping[str, Any]) -> bool:
        """Whether what an image holds passes; its id is known to."""
        return all(image.get(name) == value for name, value in self.columns.items())

    def suits(self, resource: Resource) -> bool:
        """Whether what no column holds of a resource passes too."""
        return not self.mark or (isinstance(resource, Snapshot) and self.mark in resource.marks)


def filter_of(unit: UnitOfWork, selection: Selection, revision: int) -> Filter | None:
    """The filter of a selection as of a revision; None: nothing can pass it."""
    prefix = narrower(selection.id_prefix, f"{selection.zone}/" if selection.zone else "")
    if prefix is None or not BEGINS_AN_ID.match(prefix):
        return None
    columns: dict[str, object] = {}
    for field, kind in references_of(selection):
        wanted: str = getattr(selection, field)
        known = BEGINS_AN_ID.match(wanted) is not None
        key = key_at(unit.connection, kind, wanted, revision) if known else None
        if key is None:
            return None
        columns[f"{field}_key"] = key
    return Filter(prefix, columns, selection.mark)


def references_of(selection: Selection) -> list[tuple[str, Kind]]:
    """The filters of a selection that name other resources."""
    return [(field, kind) for field, kind in REFERENCES.items() if getattr(selection, field)]


def narrower(one: str, other: str) -> str | None:
    """The prefix of all ids that begin with both; None: there are none."""
    long, short = (one, other) if len(one) >= len(other) else (other, one)
    return long if long.startswith(short) else None


def id_range(
    column: ColumnElement[Any], *, prefix: str = "", after: str = "", until: str | None = None
) -> list[ColumnElement[bool]]:
    """Ids that begin with `prefix`, come after `after`, and not after `until`; byte by byte."""
    conditions: list[ColumnElement[bool]] = []
    if after >= prefix and after:
        conditions.append(column > after)
    elif prefix:
        conditions.append(column >= prefix)
    if prefix:
        conditions.append(column < successor(prefix))
    if until is not None:
        conditions.append(column <= until)
    return conditions


def successor(prefix: str) -> str:
    """The first text that comes after all those that begin with `prefix` (not empty, ASCII)."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
