"""Lists of units in the order of what they refer to: that is walked by its ids, few of it first,
and the units of each are read from its index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice, repeat

from sqlalchemy import Column, FromClause, select

from metadata_server.domain.names import Kind
from metadata_server.domain.page import PageStart
from metadata_server.store.schema import control_unit
from metadata_server.store.unit_of_work import UnitOfWork

REFERRED: Mapping[str, tuple[Kind, Column[int]]] = {
    "template": (Kind.TEMPLATE, control_unit.c.template_key),
    "unit_server": (Kind.UNIT_SERVER, control_unit.c.unit_server_key),
}
"""By the name of a key."""
MOST_AT_ONCE = 256
AT_ONCE = (1, 4, 16, 64)
"""So many are looked at together: most pages are filled by the first few."""


def groups_from(
    unit: UnitOfWork, named: FromClause, start: PageStart, *, descends: bool
) -> Iterator[list[int]]:
    """Keys of all that is referred to, in the order of the ids, from a place on; an empty group
    is of units that refer to nothing."""
    if start.after and start.value is None and descends:
        yield []
        return
    if not descends and start.value is None:
        yield []
    query = select(named.c.key).order_by(named.c.id.desc() if descends else named.c.id)
    if start.value is not None:
        since = named.c.id <= start.value if descends else named.c.id >= start.value
        query = query.where(since)
    keys = iter(unit.connection.scalars(query).all())
    for size in chain(AT_ONCE, repeat(MOST_AT_ONCE)):
        some = list(islice(keys, size))
        if not some:
            break
        yield some
    if descends:
        yield []
