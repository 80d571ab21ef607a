"""What control units that were named once are called by now."""

from __future__ import annotations

from collections.abc import Iterable

from metadata_server.domain.names import Kind
from metadata_server.store.keys import batches
from metadata_server.store.past.past import NEWEST, ids_at, names_at
from metadata_server.store.unit_of_work import LostRace, UnitOfWork


def called_now(unit: UnitOfWork, ids: Iterable[str], revision: int) -> dict[str, str]:
    """Ids of units by those that they had at a revision, of units that are there. They are read
    without a lock; where this transaction writes anything, it loses the race against whoever
    renames one of them before it."""
    keys: dict[str, int] = {}
    for some in batches(sorted(set(ids))):
        query = names_at(Kind.CONTROL_UNIT, revision, ids=some)
        keys |= {row.id: row.key for row in unit.connection.execute(query)}
    now = ids_at(unit, keys.values(), NEWEST)

    def check(unit: UnitOfWork) -> None:
        if ids_at(unit, keys.values(), NEWEST) != now:
            raise LostRace

    unit.rely_on(check)
    return {id: now[key] for id, key in keys.items() if key in now}
