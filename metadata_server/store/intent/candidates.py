"""Which resources can differ between two revisions: those that have an image between them.

Where few images lie between, they are asked for their keys; where many do, the names are walked
in their order, and each is asked for an image. So a comparison costs what has changed, or what is
there, whichever is less, and never holds more than `FEW_IMAGES` candidates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, not_, or_, select

from metadata_server.domain.names import BEGINS_AN_ID, DECLARED, Kind
from metadata_server.store.intent.selections import id_range
from metadata_server.store.keys import batches
from metadata_server.store.schema import history, name
from metadata_server.store.unit_of_work import UnitOfWork

FEW_IMAGES = 10_000


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A resource that may differ; sorted by kind and id.

    Attributes:
        rank: of its kind in `DECLARED`.
        id: at the later revision; at the earlier one where it is gone or does not pass then.
    """

    rank: int
    id: str
    key: int

    @property
    def kind(self) -> Kind:
        return DECLARED[self.rank]


FIRST = Candidate(0, "", -1)


@dataclass(frozen=True, slots=True)
class Between:
    """What is looked at: images after one revision, up to and including another.

    Attributes:
        prefix: ids begin with it at either of the two.
    """

    after: int
    until: int
    kinds: frozenset[Kind]
    prefix: str = ""


def few_candidates(unit: UnitOfWork, wanted: Between) -> list[Candidate] | None:
    """All candidates, sorted; None: too many images lie between to say at once."""
    query = select(history.c.kind, history.c.key).where(
        history.c.revision > wanted.after, history.c.revision <= wanted.until
    )
    rows = unit.connection.execute(query.limit(FEW_IMAGES + 1)).all()
    if len(rows) > FEW_IMAGES:
        return None
    kinds = {row.key: Kind(row.kind) for row in rows}
    keys = sorted(key for key, kind in kinds.items() if kind in wanted.kinds)
    earlier = ids_at(unit, keys, wanted.after)
    later = ids_at(unit, keys, wanted.until)
    found = []
    for key in keys:
        ids = [ids[key] for ids in (later, earlier) if key in ids]
        passing = [id for id in ids if id.startswith(wanted.prefix)]
        if passing:
            found.append(Candidate(DECLARED.index(kinds[key]), passing[0], key))
    return sorted(found)


def ids_at(unit: UnitOfWork, keys: list[int], revision: int) -> dict[int, str]:
    """The ids that keys had at a revision, of those that were there."""
    found: dict[int, str] = {}
    for some in batches(keys):
        query = select(name.c.key, name.c.id).where(name.c.key.in_(some), valid_at(name, revision))
        found |= {row.key: row.id for row in unit.connection.execute(query)}
    return found


def next_candidates(
    unit: UnitOfWork, wanted: Between, start: Candidate, *, limit: int
) -> list[Candidate]:
    """The candidates that come after one, sorted; fewer than `limit`: these are the last."""
    if not BEGINS_AN_ID.match(wanted.prefix):
        return []
    found: list[Candidate] = []
    for rank, kind in ranks(wanted, start):
        after = start if rank == start.rank else Candidate(rank, "", -1)
        query = names_between(wanted, kind, after).limit(limit - len(found))
        found += [Candidate(rank, row.id, row.key) for row in unit.connection.execute(query)]
        if len(found) == limit:
            break
    return found


def ranks(wanted: Between, start: Candidate) -> Iterator[tuple[int, Kind]]:
    for rank, kind in enumerate(DECLARED):
        if kind in wanted.kinds and rank >= start.rank:
            yield rank, kind


def names_between(wanted: Between, kind: Kind, after: Candidate) -> Select[tuple[str, int]]:
    """Ids and keys of one kind after a candidate, by which it is asked for images."""
    columns = name.c
    later = name.alias("later")
    passes_later = exists().where(
        later.c.key == columns.key,
        valid_at(later, wanted.until),
        *id_range(later.c.id, prefix=wanted.prefix),
    )
    has_image = exists().where(
        history.c.key == columns.key,
        history.c.revision > wanted.after,
        history.c.revision <= wanted.until,
    )
    return (
        select(columns.id, columns.key)
        .where(
            columns.kind == kind.value,
            *id_range(columns.id, prefix=wanted.prefix),
            columns.id >= after.id,
            or_(columns.id > after.id, columns.key > after.key),
            or_(
                valid_at(name, wanted.until),
                and_(valid_at(name, wanted.after), not_(passes_later)),
            ),
            has_image,
        )
        .order_by(columns.id, columns.key)
    )


def valid_at(names: FromClause, revision: int) -> ColumnElement[bool]:
    """That a name was one at a revision."""
    return and_(
        names.c.from_revision <= revision,
        or_(names.c.to_revision.is_(None), names.c.to_revision > revision),
    )
