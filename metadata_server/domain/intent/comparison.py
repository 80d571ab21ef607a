"""What differs between two moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metadata_server.domain.change import Action, Position
from metadata_server.domain.difference import FieldDifference
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """What to compare.

    Attributes:
        earlier, later: moments; None: now.
        kind, id: one resource, by an id that it has or ever had.
        kinds: none: all that people declare.
        id_prefix, template, unit_server: ids; what passes at either moment.
    """

    earlier: Moment | None
    later: Moment | None = None
    kind: Kind | None = None
    id: str = ""
    kinds: tuple[Kind, ...] = ()
    id_prefix: str = ""
    template: str = ""
    unit_server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one resource differs.

    Attributes:
        id: at the later moment; where it is gone by then, at the earlier one.
        former_id: at the earlier moment, where that is another.
        action: seen from the earlier moment.
        from_etag, to_etag: empty: it was not there.
    """

    kind: Kind
    id: str
    former_id: str = ""
    action: Action
    differences: Sequence[FieldDifference] = ()
    from_etag: str = ""
    to_etag: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """Part of a comparison.

    Attributes:
        compared: how many resources so far.
    """

    earlier: Position
    later: Position
    differences: Sequence[Difference]
    compared: int
