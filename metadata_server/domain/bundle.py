"""Bundles: resources that are taken or refused as a whole, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

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
        resource: None where it could not even be read; then `faults` says why.
    """

    source: str
    name: str
    resource: Resource | None
    faults: tuple[WrongField, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall become of an item.

    Attributes:
        before: what is there; None: nothing.
        after: what shall be there; None: the item is rejected or skipped.
    """

    item: Item
    action: ItemAction
    before: Resource | None = None
    after: Resource | None = None
    problems: tuple[WrongField, ...] = ()
    changed_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """How many items became what."""

    applied: bool
    counts: dict[ItemAction, int] = field(default_factory=dict)
