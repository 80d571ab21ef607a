"""Which changes a watcher is told, and what they mean to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.change import Action, Change, Position, Subject
from metadata_server.domain.filter.asked import check_watched
from metadata_server.domain.filter.expression import Expression, terms_of
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.filter.subject import UnitSubject
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import Refused, WrongField

FILTERED = frozenset(DECLARED) | {Kind.CONTROL_UNIT_STATUS}
"""Kinds of which a watch may have a filter: an image tells all of them."""
REFERRED = {
    "template": Kind.TEMPLATE,
    "unit_server": Kind.UNIT_SERVER,
    "agent": Kind.AGENT,
    "machine_mode": Kind.MACHINE_MODE,
}
"""Keys whose values are names of other resources, which can change without those that have them."""


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
        filter: that resources pass, which are all of one kind then; see `wanted_by`.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    id_prefix: str = ""
    filter: str = ""

    @property
    def followed(self) -> frozenset[Kind]:
        """The kinds whose changes matter to it: also those whose names its filter has."""
        if not self.filter:
            return self.kinds
        return self.kinds | {REFERRED[name] for name in self._names & REFERRED.keys()}

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(term.key.name for term in terms_of(self._expression))

    @property
    def _expression(self) -> Expression:
        (kind,) = self.kinds
        return parse_filter(self.filter, kind)

    def is_upset_by(self, change: Change) -> bool:
        """Whether a change gives something another name that resources may be wanted by: who
        passes is not told by changes of their own then."""
        is_renamed = bool(change.id_before) and change.id_before != change.id
        return bool(self.filter) and is_renamed and change.kind in self.followed - self.kinds

    def event_of(self, change: Change, before: Subject | None = None) -> Event | None:
        """The event of a change; None: it does not concern the watcher.

        What counts is the id that a resource has at its revision: one that is renamed comes
        in, or leaves, as its names pass; and likewise its content, where there is a filter.

        Args:
            before: what it was just before, where there is a filter.
        """
        if change.kind not in self.kinds:
            return None
        passes = change.id.startswith(self.id_prefix)
        passed = bool(change.id_before) and change.id_before.startswith(self.id_prefix)
        if self.filter:
            passed = passed and self._suits(before)
            if change.action is Action.DELETED:
                return Event(change, EventAction.DELETED, change.id) if passed else None
            passes = passes and self._suits(change.subject)
        if passes and change.action is Action.UPDATED and change.id_before and not passed:
            return Event(change, EventAction.CREATED, change.id)
        if passes:
            return Event(change, EventAction(change.action), change.id)
        return Event(change, EventAction.LEFT, change.id_before) if passed else None

    def _suits(self, subject: Subject | None) -> bool:
        seen: object = subject
        if isinstance(subject, ControlUnit):
            seen = UnitSubject(declared=subject)
        elif isinstance(subject, ControlUnitStatus):
            seen = UnitSubject(status=subject)
        return subject is not None and matches(self._expression, seen, 0)


def wanted_by(kinds: Iterable[Kind], id_prefix: str, filter: str) -> WatchFilter:
    """What a watcher wants.

    Raises:
        Refused: INVALID_FIELD, where a filter is not of one kind that has images; INVALID_FILTER.
    """
    wanted = frozenset(kinds)
    if not filter.strip():
        return WatchFilter(wanted or frozenset(Kind), id_prefix)
    if len(wanted) != 1 or not wanted <= FILTERED:
        found = ", ".join(sorted(wanted)) or "all"
        expected = f"with a filter, one kind, of {', '.join(sorted(FILTERED))}"
        raise Refused.wrong_fields([WrongField("kinds", found, expected)])
    (kind,) = wanted
    check_watched(parse_filter(filter, kind), kind)
    return WatchFilter(wanted, id_prefix, filter)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Notice:
    """What a watcher is told at once; without events: a bookmark.

    Attributes:
        position: everything up to here that passes the filter has been told.
    """

    position: Position
    events: tuple[Event, ...] = ()


def events_of(
    changes: Iterable[Change],
    wanted: WatchFilter,
    before: Mapping[int, Subject] | None = None,
) -> tuple[Event, ...]:
    """The events of changes, in their order.

    Args:
        before: what the resources of the changes were before all of them, by key.
    """
    last: dict[int, Subject | None] = dict(before or {})
    events = []
    for change in changes:
        events.append(wanted.event_of(change, last.get(change.key)))
        if wanted.filter and change.kind in wanted.kinds:
            last[change.key] = change.subject
    return tuple(event for event in events if event is not None)
