"""Bundles: resources that are taken or refused as a whole, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from metadata_server.domain.change import Position
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource


class OnConflict(StrEnum):
    """What to do with a resource that is there already and differs."""

    FAIL = "FAIL"
    SKIP = "SKIP"
    REPLACE = "REPLACE"


class ItemAction(StrEnum):
    """What happened, or would happen, to an item."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    SKIPPED = "SKIPPED"
    REJECTED = "REJECTED"
    REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class Item:
    """A resource with its place in a file; `faults` are what its conversion found wrong.

    Attributes:
        resource: None where it could not even be read, then `faults` says why; and for a
            removal.
        removed: kind and id of what shall not be there any more.
        key: that the resource has under another id, or had before it was deleted; 0: its id
            says which it is.
        change: gives the resource as it shall be, from what is there once it is locked;
            `resource` is only what that will come to, as far as is known. None: `resource` is
            what shall be there.
    """

    source: str
    name: str
    resource: Resource | None
    faults: tuple[WrongField, ...] = ()
    removed: tuple[Kind, str] | None = None
    key: int = 0
    change: Callable[[Resource], Resource] | None = field(default=None, compare=False)

    @classmethod
    def removal(cls, kind: Kind, id: str, *, source: str = "") -> Item:
        return cls(source, kind.name_of(id), None, removed=(kind, id))

    @property
    def subject(self) -> tuple[Kind, str] | None:
        """Kind and id of what it is about; None: it could not be read."""
        if self.resource is not None:
            return self.resource.kind, self.resource.id
        return self.removed


@dataclass(frozen=True, slots=True)
class PruneScope:
    """The part of the facility that a bundle names in full.

    Attributes:
        kinds: none: all that people declare.
        id_prefix: only ids that begin with this text.
    """

    kinds: tuple[Kind, ...] = ()
    id_prefix: str = ""


@dataclass(frozen=True, slots=True)
class SeenPlan:
    """A plan that somebody has seen: the token of it, and the position it was made at."""

    position: Position
    plan: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall become of an item.

    Attributes:
        before: what is there; None: nothing.
        after: what shall be there; None: the item is rejected or skipped, or nothing shall.
        last_author: who changed last what is there; empty: nothing is, or nobody knows.
        is_running: whether it is a control unit that runs now.
    """

    item: Item
    action: ItemAction
    before: Resource | None = None
    after: Resource | None = None
    problems: tuple[WrongField, ...] = ()
    changed_fields: tuple[str, ...] = ()
    last_author: str = ""
    is_running: bool = False


WRITING = frozenset({ItemAction.CREATED, ItemAction.CHANGED, ItemAction.REMOVED})
"""What changes something."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How many items became what.

    Attributes:
        running: control units changed or removed while they run.
        of_others: resources changed or removed that somebody else had changed last.
        plan: tells this plan from any other.
    """

    applied: bool
    counts: dict[ItemAction, int] = field(default_factory=dict)
    running: int = 0
    of_others: int = 0
    plan: str = ""

    @property
    def written(self) -> int:
        """How many items changed something."""
        return sum(self.counts.get(each, 0) for each in WRITING) if self.applied else 0
