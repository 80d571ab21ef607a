"""What control units say of their order, read for audits: little of each, of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Integer, cast, desc, func, select

from metadata_server.domain.names import BEGINS_AN_ID
from metadata_server.domain.orchestration.ordering import Member
from metadata_server.store.intent.selections import id_range
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit
from metadata_server.store.unit_of_work import UnitOfWork

LEVEL = func.coalesce(cast(func.json_extract(control_unit.c.body, "$.level"), Integer), 0)


@dataclass(frozen=True, slots=True)
class Said:
    """The part of a body that says where its unit comes in an order."""

    level: int = 0
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


decoder = msgspec.json.Decoder(Said)


def depending_units(
    unit: UnitOfWork, *, prefix: str = "", after: str = "", limit: int | None = None
) -> list[Member]:
    """Units that depend on others, by id; without their states and unit servers."""
    if not BEGINS_AN_ID.match(prefix):
        return []
    id = control_unit.c.id
    query = select(id, control_unit.c.body).where(
        control_unit.c.depends == 1, *id_range(id, prefix=prefix, after=after)
    )
    rows = unit.connection.execute(query.order_by(id).limit(limit))
    found = ((row.id, decoder.decode(row.body)) for row in rows)
    return [
        Member(id=id, level=said.level, requires=said.requires, after=said.after)
        for id, said in found
    ]


def levels_of(unit: UnitOfWork, ids: Iterable[str]) -> dict[str, int]:
    """Levels of units, by id, of those that are there."""
    found: dict[str, int] = {}
    for some in batches(sorted(set(ids))):
        query = select(control_unit.c.id, LEVEL).where(control_unit.c.id.in_(some))
        found |= {row[0]: row[1] for row in unit.connection.execute(query)}
    return found


def highest_of(unit: UnitOfWork, group: str) -> tuple[str, int] | None:
    """The first unit of the highest level in a group, and that level; None: it has no unit."""
    ids = id_range(control_unit.c.id, prefix=group)
    query = select(control_unit.c.id, LEVEL).where(*ids).order_by(desc(LEVEL), control_unit.c.id)
    row = unit.connection.execute(query.limit(1)).first()
    return (row[0], row[1]) if row else None
