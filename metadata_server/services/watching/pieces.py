"""What happened, read piece by piece from the database."""

from __future__ import annotations

from dataclasses import dataclass, replace

from metadata_server.domain.change import Change, Position
from metadata_server.domain.horizon import check_position
from metadata_server.domain.names import Kind
from metadata_server.services.watching.recent import is_same_history
from metadata_server.services.watching.subscription import Batch
from metadata_server.store.past.changes import changes_after, kept_from
from metadata_server.store.unit_of_work import UnitOfWork

CHANGES_A_PIECE = 1_000


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Attributes:
        present: where the database stands.
        until: up to which revision `changes` are all.
    """

    present: Position
    until: int
    changes: tuple[Change, ...] = ()


def look_after(unit: UnitOfWork, last: Position | None, kinds: frozenset[Kind]) -> Look:
    """Reads the rows only where the counter has moved on, and somebody wants to know."""
    present = unit.position
    same = last is not None and is_same_history(present, last)
    if last is None or not same or present.revision <= last.revision or not kinds:
        return Look(present, present.revision)
    changes, until = changes_after(unit, last.revision, limit=CHANGES_A_PIECE, kinds=kinds)
    return Look(present, until, tuple(changes))


def is_ahead(wanted: Position, present: Position) -> bool:
    """Whether a node of the database has not come yet to what another one has told of."""
    return is_same_history(wanted, present) and wanted.revision > present.revision


def piece_after(unit: UnitOfWork, reached: Position, kinds: frozenset[Kind]) -> Batch:
    """A piece of the past.

    Raises:
        Refused: HISTORY_RESET, HISTORY_TRIMMED.
    """
    check_position(reached, unit.position, kept_from=kept_from(unit, kinds))
    changes, until = changes_after(unit, reached.revision, limit=CHANGES_A_PIECE, kinds=kinds)
    return Batch(replace(unit.position, revision=until), tuple(changes))
