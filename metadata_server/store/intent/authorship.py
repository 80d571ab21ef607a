"""Who made which changes, when and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from metadata_server.store.keys import batches
from metadata_server.store.schema import change_set
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Authorship:
    """Of one revision; `author` is empty where nobody is known."""

    time_us: int = 0
    author: str = ""
    reason: str = ""


UNKNOWN = Authorship()


def authorships(unit: UnitOfWork, revisions: Iterable[int]) -> dict[int, Authorship]:
    """By revision, of those whose change sets are kept."""
    columns = change_set.c
    found = {}
    for some in batches(sorted(set(revisions))):
        query = select(columns.revision, columns.time_us, columns.author, columns.reason)
        for row in unit.connection.execute(query.where(columns.revision.in_(some))):
            found[row.revision] = Authorship(row.time_us, row.author, row.reason)
    return found
