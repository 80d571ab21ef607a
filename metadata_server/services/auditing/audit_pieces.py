"""What checks of a facility are asked, and what they find: a piece at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from metadata_server.domain.audit import Audited, Finding
from metadata_server.services.life.configurations import Configurations
from metadata_server.store.life.audit import Rows, Span
from metadata_server.store.unit_of_work import UnitOfWork

IDS_A_PIECE = 1_000


@dataclass(frozen=True, slots=True)
class Piece:
    """What a check found in one piece of the facility.

    Attributes:
        after: where the next piece begins; None: this was the last.
    """

    findings: tuple[Finding, ...]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check is asked for: a piece, after some id."""

    audited: Audited
    after: str
    configurations: Configurations

    @property
    def span(self) -> Span:
        return Span(self.audited.id_prefix, self.after, IDS_A_PIECE)

    def following(self, ids: Sequence[str]) -> str | None:
        """Where the next piece begins after one of these ids: one that is full may not be the
        last."""
        return ids[-1] if len(ids) == self.span.limit else None


class Check(Protocol):
    """Finds one kind of oddity in a piece of the facility."""

    __name__: str

    def __call__(self, unit: UnitOfWork, asked: Asked) -> Piece: ...


def piece_of(rows: Rows, findings: Iterable[Finding]) -> Piece:
    """A piece that is full may not be the last."""
    return Piece(tuple(findings), rows[-1]["id"] if len(rows) == IDS_A_PIECE else None)
