"""Which control units are in maintenance now. Always by level: what has ended by itself covers
nothing any more, whether anybody has noticed or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, and_, or_, select

from metadata_server.domain.intent.control_unit import ControlUnitStatus
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage, Maintenance
from metadata_server.store.any_of import any_of
from metadata_server.store.intent.authorship import authorships
from metadata_server.store.intent.selections import id_range
from metadata_server.store.keys import batches
from metadata_server.store.life.desires import NOTHING_WANTED, Wanted
from metadata_server.store.schema import control_unit, name
from metadata_server.store.schema import maintenance as table
from metadata_server.store.unit_of_work import UnitOfWork


def open_maintenances(unit: UnitOfWork, *, over_since_us: int | None = None) -> list[Maintenance]:
    """Those that are not over, begun or not, by id.

    Args:
        over_since_us: also those that have been over only since then.
    """
    since_us = unit.now_us if over_since_us is None else over_since_us
    return unit.resources.where(
        Maintenance, or_(table.c.end_time_us == 0, table.c.end_time_us > since_us)
    )


def coverage_now(unit: UnitOfWork) -> Coverage:
    found = [each for each in open_maintenances(unit) if each.lasts(unit.now_us)]
    made = authorships(unit, (each.meta.revision for each in found)) if found else {}
    authors = {
        each.id: made[each.meta.revision].author for each in found if each.meta.revision in made
    }
    return Coverage.of(found, unit.now_us, authors)


def covered(unit: UnitOfWork, coverage: Coverage) -> ColumnElement[bool]:
    """A condition that units pass which are covered; never NULL, as it may be turned round."""
    servers = unit.keys.find(Kind.UNIT_SERVER, coverage.servers)
    server = control_unit.c.unit_server_key
    conditions = [
        *(control_unit.c.id.in_(ids) for ids in batches(sorted(coverage.units))),
        *(
            and_(server.is_not(None), server.in_(keys))
            for keys in batches(sorted(servers.values()))
        ),
        *(and_(*id_range(control_unit.c.id, prefix=each)) for each in widest(coverage.prefixes)),
    ]
    return any_of(conditions)


def widest(prefixes: Iterable[str]) -> list[str]:
    """Prefixes that cover what all of them do: those that lie within none of the others."""
    found: list[str] = []
    for each in sorted(prefixes):
        if not found or not each.startswith(found[-1]):
            found.append(each)
    return found


def conditions_now(
    unit: UnitOfWork, statuses: Iterable[ControlUnitStatus], wanted: Mapping[int, Wanted]
) -> dict[int, Condition]:
    """Of the units that are in maintenance now, by key, that they are.

    Args:
        wanted: what is wanted of the units, by key.
    """
    coverage = coverage_now(unit)
    if coverage.is_empty:
        return {}
    servers = {each.unit_server_key for each in wanted.values()} - {0}
    unit.keys.find_ids(Kind.UNIT_SERVER, servers)
    found = {}
    for status in statuses:
        server = wanted.get(status.key, NOTHING_WANTED).unit_server_key
        server_id = unit.keys.id_of(Kind.UNIT_SERVER, server) if server else ""
        condition = coverage.condition(status.id, server_id)
        if condition is not None:
            found[status.key] = condition
    return found


def next_turn_us(unit: UnitOfWork) -> int | None:
    """When a maintenance next begins or ends by itself; None: never."""
    times = [(each.begin_time_us, each.end_time_us) for each in open_maintenances(unit)]
    return min((at for pair in times for at in pair if at > unit.now_us), default=None)


def have_turned(unit: UnitOfWork, since_us: int) -> bool:
    """Whether any maintenance has begun or ended by itself since a time."""
    return any(
        since_us < at <= unit.now_us
        for each in open_maintenances(unit, over_since_us=since_us)
        for at in (each.begin_time_us, each.end_time_us)
    )


def tell_turns(unit: UnitOfWork, since_us: int) -> None:
    """Makes news of it that maintenances have begun or ended by themselves since a time: an image
    of each at this transaction's revision, which holds the word for it and no more."""
    for each in open_maintenances(unit, over_since_us=since_us):
        turn = each.turn(since_us, unit.now_us)
        if turn is not None:
            unit.add_status_image(Kind.MAINTENANCE, each.meta.key, "", turn.value)


def have_changed(unit: UnitOfWork, since: int) -> bool:
    """Whether any maintenance has been declared otherwise since a revision."""
    spans = select(name.c.key).where(
        name.c.kind == Kind.MAINTENANCE.value,
        or_(name.c.from_revision > since, name.c.to_revision > since),
    )
    changed = select(table.c.key).where(table.c.revision > since)
    return any(unit.connection.execute(each.limit(1)).first() for each in (spans, changed))
