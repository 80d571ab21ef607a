"""Why an id names nothing: what it once named, and where that has gone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.store.schema import name


def absent(connection: Connection, kind: Kind, id: str) -> Refused:
    """That an id names nothing now; with `renamed_to` and the `revision` of that, or with
    `deleted_at`, the revision, where it once did."""
    sentence = f"There is no {kind.words} {id!r}"
    names = {"name": kind.name_of(id)}
    own = last_span(connection, name.c.kind == kind.value, name.c.id == id)
    last = own and last_span(connection, name.c.key == own.key)
    if own is None or last is None:
        return Refused.not_found(kind.not_found, f"{sentence}.", **names)
    if last.to_revision is None:
        return Refused.not_found(
            kind.not_found,
            f"{sentence}: it is {last.id!r} since revision {own.to_revision}.",
            **names,
            renamed_to=kind.name_of(last.id),
            revision=own.to_revision,
        )
    as_what = "" if last.id == id else f", as {last.id!r},"
    return Refused.not_found(
        kind.not_found,
        f"{sentence}: it was deleted{as_what} in revision {last.to_revision}.",
        **names,
        deleted_at=last.to_revision,
    )


def absent_then(connection: Connection, kind: Kind, id: str, revision: int) -> Refused:
    """That an id named nothing at a revision; with `named_then`, the name that it had, where
    what has the id now was there already."""
    sentence = f"At revision {revision} there was no {kind.words} {id!r}"
    names: dict[str, object] = {"name": kind.name_of(id), "revision": revision}
    own = last_span(connection, name.c.kind == kind.value, name.c.id == id)
    then = own and last_span(connection, name.c.key == own.key, name.c.from_revision <= revision)
    if then is None or (then.to_revision is not None and then.to_revision <= revision):
        return Refused.not_found(kind.not_found, f"{sentence}.", **names)
    return Refused.not_found(
        kind.not_found,
        f"{sentence}: it was {then.id!r} then.",
        **names,
        named_then=kind.name_of(then.id),
    )


def last_span(connection: Connection, *conditions: Any) -> Row[Any] | None:
    """The last span of names that passes all conditions."""
    query = select(name).where(*conditions).order_by(name.c.from_revision.desc()).limit(1)
    return connection.execute(query).first()
