"""Which changes a watcher is told, and what they mean to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.change import Action, Change, Position
from metadata_server.domain.names import Kind


class EventAction(StrEnum):
    """What happened to a resource, as its watcher sees it."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    LEFT = "LEFT"


class View(StrEnum):
    """How much of each resource a watcher is told."""

    BASIC = "BASIC"
    FULL = "FULL"


@dataclass(frozen=True, slots=True)
class Event:
    """A change that passes a filter.

    Attributes:
        id: the last one that passed, where the resource has LEFT.
    """

    change: Change
    action: EventAction
    id: str

    @property
    def former_id(self) -> str:
        """The one that the change has taken away; empty: it has kept it, or is told by it."""
        before = self.change.id_before
        return before if before and before != self.change.id == self.id else ""


@dataclass(frozen=True, slots=True)
class WatchFilter:
    """What a watcher wants to be told.

    Attributes:
        id_prefix: ids begin with this text.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    id_prefix: str = ""

    def event_of(self, change: Change) -> Event | None:
        """The event of a change; None: it does not concern the watcher.

        What counts is the id that a resource has at its revision: one that is renamed comes
        in, or leaves, as its names pass.
        """
        if change.kind not in self.kinds:
            return None
        passes = change.id.startswith(self.id_prefix)
        passed = bool(change.id_before) and change.id_before.startswith(self.id_prefix)
        if passes and change.action is Action.UPDATED and change.id_before and not passed:
            return Event(change, EventAction.CREATED, change.id)
        if passes:
            return Event(change, EventAction(change.action), change.id)
        return Event(change, EventAction.LEFT, change.id_before) if passed else None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Notice:
    """What a watcher is told at once; without events: a bookmark.

    Attributes:
        position: everything up to here that passes the filter has been told.
    """

    position: Position
    events: tuple[Event, ...] = ()


def events_of(changes: Iterable[Change], wanted: WatchFilter) -> tuple[Event, ...]:
    """The events of changes, in their order."""
    events = map(wanted.event_of, changes)
    return tuple(event for event in events if event is not None)
