"""Rows and images of resources, and back: ids outside, keys inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Action
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Meta, Resource
from metadata_server.store.codec import build, data_of, plain, text_of
from metadata_server.store.keys import batches
from metadata_server.store.kinds import LAYOUTS, Layout, at_path, put_at
from metadata_server.store.newer import NewerContent, newer_in
from metadata_server.store.schema import history

KeyOf = Callable[[Kind, str], int]
IdOf = Callable[[Kind, int], str]
META = ("generation", "create_time_us", "update_time_us")


def content_of(resource: Resource, layout: Layout, key_of: KeyOf) -> dict[str, Any]:
    """The content as builtins, with the keys of what it refers to instead of their ids."""
    data = plain(resource)
    data.pop("meta", None)
    data.pop("id")
    for reference in layout.references:
        id = at_path(data, reference.path)
        put_at(data, reference.path, "")
        if id:
            data[reference.column] = key_of(reference.kind, id)
    return data


def row_of(resource: Resource, content: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The row of a resource, from its content."""
    body = dict(content)
    row: dict[str, Any] = {"key": resource.meta.key, "id": resource.id}
    for reference in layout.references:
        row[reference.column] = body.pop(reference.column, None)
    for column in layout.columns:
        body.pop(column, None)
        row[column] = getattr(resource, column)
    row |= layout.derived(resource)
    row["revision"] = resource.meta.revision
    row |= {name: getattr(resource.meta, name) for name in META}
    row["body"] = text_of(body)
    return row


def image_of(resource: Resource, content: Mapping[str, Any]) -> str:
    """The after-image for the history: everything that its row does not know already."""
    return text_of({"id": resource.id, **{m: getattr(resource.meta, m) for m in META}, **content})


def from_row(
    row: Mapping[str, Any],
    layout: Layout,
    id_of: IdOf,
    newer: dict[int, NewerContent] | None = None,
) -> Resource:
    """
    Args:
        newer: gets what this release does not know of the row, by its key.
    """
    data = data_of(row["body"])
    if newer is not None and (found := newer_in(layout.type, data)):
        newer[row["key"]] = found
    for column in layout.columns:
        data[column] = row[column]
    for reference in layout.references:
        if row[reference.column] is not None:
            put_at(data, reference.path, id_of(reference.kind, row[reference.column]))
    data["id"] = row["id"]
    data["meta"] = {"key": row["key"], "revision": row["revision"]}
    data["meta"] |= {name: row[name] for name in META}
    return build(layout.type, data)


def from_image(
    kind: Kind, key: int, revision: int, image: Mapping[str, Any], id_of: IdOf
) -> Resource:
    """A resource as it was at a revision."""
    layout = LAYOUTS[kind]
    data = dict(image)
    meta = {name: data.pop(name) for name in META} | {"key": key, "revision": revision}
    for reference in layout.references:
        found = data.pop(reference.column, None)
        if found is not None:
            put_at(data, reference.path, id_of(reference.kind, found))
    data["meta"] = meta
    return build(layout.type, data)


def last_metas(connection: Connection, keys: Iterable[int]) -> dict[int, Meta]:
    """What the history last knew of keys, present or gone."""
    found: dict[int, Meta] = {}
    for some in batches(sorted(set(keys))):
        last = (
            select(history.c.key, func.max(history.c.revision).label("revision"))
            .where(history.c.key.in_(some), history.c.action != Action.DELETED.value)
            .group_by(history.c.key)
            .subquery()
        )
        same = and_(history.c.key == last.c.key, history.c.revision == last.c.revision)
        for row in connection.execute(select(history).join(last, same)):
            data = data_of(row.image)
            known = {name: data[name] for name in META}
            found[row.key] = Meta(key=row.key, revision=row.revision, **known)
    return found
