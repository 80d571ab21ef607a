"""Declared resources as they are now: found by id, locked for a change, listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.engine import Connection, RowMapping

from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.store import schema
from metadata_server.store.codec import build, data_of
from metadata_server.store.images import from_row
from metadata_server.store.intent.absence import absent
from metadata_server.store.keys import Keys, batches
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.newer import NewerContent
from metadata_server.store.spans import Span, span_of

R = TypeVar("R", bound=Resource)


class Resources:
    """Reads resources of all kinds within one transaction.

    Attributes:
        held: the spans of the rows that it has locked, by key.
        newer: what they have that this release does not know, by key.
    """

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self.held: dict[int, Span] = {}
        self.newer: dict[int, NewerContent] = {}

    def get(self, type_: type[R], id: str, *, lock: bool = False) -> R:
        """The resource of that id.

        Raises:
            Refused: the kind's NOT_FOUND, saying what has become of it.
        """
        found = self.find(type_, [id], lock=lock)
        if id not in found:
            raise absent(self._connection, type_.kind, id)
        return found[id]

    def find(self, type_: type[R], ids: Iterable[str], *, lock: bool = False) -> dict[str, R]:
        """Resources by id, of those that are there; locked in the order of their ids."""
        table = LAYOUTS[type_.kind].table
        found: dict[str, R] = {}
        for some in batches(sorted(set(ids))):
            query = select(table).where(table.c.id.in_(some)).order_by(table.c.id)
            found |= {r.id: r for r in self.read(type_, query, lock=lock)}
        return found

    def of_keys(self, type_: type[R], keys: Iterable[int], *, lock: bool = False) -> dict[int, R]:
        """Resources by key, of those that are there; locked in the order of their ids."""
        table = LAYOUTS[type_.kind].table
        wanted = sorted(set(keys))
        found: dict[int, R] = {}
        if lock:
            # By their ids, as all others lock them: a statement that finds rows by key locks
            # them in the order of keys, whatever it sorts by.
            ids: list[str] = []
            for some in batches(wanted):
                query = select(table.c.id).where(table.c.key.in_(some))
                ids += self._connection.scalars(query)
            there = {r.meta.key: r for r in self.find(type_, ids, lock=True).values()}
            found = {key: there[key] for key in wanted if key in there}
        # With a lock only those are left that are gone, or have got another id just now.
        for some in batches([key for key in wanted if key not in found]):
            query = select(table).where(table.c.key.in_(some)).order_by(table.c.id)
            found |= {r.meta.key: r for r in self.read(type_, query, lock=lock)}
        return found

    def where(
        self, type_: type[R], *conditions: ColumnElement[bool], limit: int | None = None
    ) -> list[R]:
        """Resources that pass all conditions, sorted by id."""
        table = LAYOUTS[type_.kind].table
        query = select(table).where(*conditions).order_by(table.c.id)
        return self.read(type_, query if limit is None else query.limit(limit))

    def read(self, type_: type[R], query: Select[Any], *, lock: bool = False) -> list[R]:
        layout = LAYOUTS[type_.kind]
        result = self._connection.execute(query.with_for_update() if lock else query)
        columns = tuple(result.keys())
        # Three times as quick as dicts of SQLAlchemy's mappings; a boot storm reads 10,000 rows.
        rows = [dict(zip(columns, row, strict=True)) for row in result]
        self._learn(type_.kind, rows)
        if lock:
            self.held |= {row["key"]: span_of(row, layout) for row in rows}
        newer = self.newer if lock else None
        return [cast("R", from_row(row, layout, self._keys.id_of, newer)) for row in rows]

    def _learn(self, kind: Kind, rows: Sequence[Mapping[str, Any]]) -> None:
        """Learns ids and, in few statements, those of everything that the rows refer to."""
        for row in rows:
            self._keys.learn(kind, row["id"], row["key"])
        for reference in LAYOUTS[kind].references:
            keys = {row[reference.column] for row in rows} - {None}
            self._keys.find_ids(reference.kind, keys)

    def count(self, kind: Kind, *conditions: ColumnElement[bool]) -> int:
        table = LAYOUTS[kind].table
        query = select(func.count()).select_from(table).where(*conditions)
        return int(self._connection.execute(query).scalar_one())

    def versions(self, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Template]:
        """Contents of versions of templates, by the template's key and the version."""
        table = schema.template_version
        pairs = set(wanted)
        found = {}
        for some in batches(sorted({key for key, _ in pairs})):
            query = select(table).where(table.c.template_key.in_(some))
            for row in self._connection.execute(query).mappings():
                pair = (row["template_key"], row["version"])
                if pair in pairs:
                    found[pair] = self._version(row)
        return found

    def all_versions(self, template: Template) -> list[Template]:
        """All versions of a template, oldest first."""
        table = schema.template_version
        query = (
            select(table).where(table.c.template_key == template.meta.key).order_by(table.c.version)
        )
        return [self._version(row) for row in self._connection.execute(query).mappings()]

    def versions_in_use(self) -> set[tuple[int, int]]:
        """The versions that control units stand on: template's key and version."""
        unit = schema.control_unit
        query = select(unit.c.template_key, unit.c.template_version).distinct()
        return {(row.template_key, row.template_version) for row in self._connection.execute(query)}

    def _version(self, row: RowMapping) -> Template:
        data = data_of(row["body"])
        data["id"] = self._keys.id_of(Kind.TEMPLATE, row["template_key"])
        data["version"] = row["version"]
        data["version_state"] = VersionState(row["version_state"])
        data["meta"] = {"key": row["template_key"], "revision": row["revision"]}
        return build(Template, data)
