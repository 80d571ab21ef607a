"""How many things pass a filter now, and by the values of which keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, select

from metadata_server.domain.filter.asked import asked_of
from metadata_server.domain.life.timing import NEVER_SUSPECT_US
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.store.filter.keys_of_page import KeyQuery
from metadata_server.store.filter.record_sources import OPERATION, OPERATION_SOURCES, passing
from metadata_server.store.filter.scope import Scope
from metadata_server.store.intent.selections import Filter
from metadata_server.store.unit_of_work import UnitOfWork

MOST_VALUES = 100
TALLIED: Mapping[str, ColumnElement[str]] = {
    "phase": OPERATION.phase,
    "verb": OPERATION.verb,
    "author": OPERATION.author,
    "minor_state": OPERATION.minor_state,
}
"""Keys of operations that they are counted by."""


@dataclass(frozen=True, slots=True)
class Matches:
    """How many pass.

    Attributes:
        by: of each key its values and how many have them, the most first.
    """

    count: int
    by: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)


def matching_resources(
    unit: UnitOfWork, kind: Kind, text: str, *, suspect_us: int = NEVER_SUSPECT_US
) -> Matches:
    """
    Args:
        suspect_us: an agent that has said nothing for longer is SUSPECT.

    Raises:
        Refused: INVALID_FILTER.
    """
    asked = asked_of(Selection(kind=kind, filter=text))
    scope = Scope(unit, unit.position.revision, unit.now_us, suspect_us=suspect_us)
    return Matches(KeyQuery(scope, asked, Filter("", {})).count())


def matching_operations(unit: UnitOfWork, text: str, by: Sequence[str]) -> Matches:
    """
    Args:
        by: keys of TALLIED.

    Raises:
        Refused: INVALID_FILTER.
    """
    passes = [
        passing(unit, text, Kind.OPERATION.value, OPERATION_SOURCES, now_us=unit.now_us)
    ] if text.strip() else []  # fmt: skip
    number = func.count()
    counting = select(number).select_from(OPERATION.id.table).where(*passes)
    count = int(unit.connection.execute(counting).scalar_one())
    found: dict[str, list[tuple[str, int]]] = {}
    for key in by:
        value = TALLIED[key]
        query = select(value, number).where(*passes).group_by(value)
        query = query.order_by(number.desc(), value).limit(MOST_VALUES)
        found[key] = [(str(each), int(many)) for each, many in unit.connection.execute(query)]
    return Matches(count, found)
