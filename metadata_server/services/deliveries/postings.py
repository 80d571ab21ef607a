"""What a webhook sends, and who sends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from metadata_server.domain.change import Change, Position
from metadata_server.domain.deliveries.delivery import Delivery, DeliveryType, Outcome
from metadata_server.domain.deliveries.signature import Secret
from metadata_server.domain.horizon import check_position
from metadata_server.domain.watch import Event, Notice, View, WatchFilter, events_of
from metadata_server.services.watching.watch import list_again
from metadata_server.store.past.changes import changes_after, kept_from
from metadata_server.store.past.past_statuses import subjects_at
from metadata_server.store.unit_of_work import UnitOfWork

CHANGES_A_PIECE = 1_000


@dataclass(frozen=True, slots=True)
class Posting:
    """One try of a delivery.

    Attributes:
        secrets: that it is signed with; none: it is not.
        view: how much of each resource its body has.
    """

    url: str
    delivery: Delivery
    body: bytes
    view: View
    secrets: Sequence[Secret] = ()


class Sender(Protocol):
    """Speaks HTTP."""

    def body_of(self, notice: Notice, view: View) -> bytes:
        """What is sent of a notice; takes its time where that has many events."""
        ...

    async def send(self, posting: Posting) -> Outcome:
        """Tries once. What goes wrong is in the outcome; nothing is raised for it."""
        ...


def events_between(
    unit: UnitOfWork, wanted: WatchFilter, after: Position, until: Position
) -> tuple[Event, ...]:
    """The events of a part of the past.

    Raises:
        Refused: HISTORY_RESET, HISTORY_TRIMMED.
    """
    check_position(after, unit.position, kept_from=kept_from(unit, wanted.followed))
    check_position(until, unit.position)
    found: list[Event] = []
    reached = after.revision
    while reached < until.revision:
        changes, reached = changes_after(
            unit, reached, limit=CHANGES_A_PIECE, kinds=wanted.followed
        )
        found += passing(
            unit, [each for each in changes if each.revision <= until.revision], wanted
        )
    return tuple(found)


def passing(unit: UnitOfWork, changes: Sequence[Change], wanted: WatchFilter) -> tuple[Event, ...]:
    """The events of changes, which are whole revisions.

    Raises:
        Refused: HISTORY_TRIMMED, where something has got another name that resources are wanted
            by.
    """
    if not (wanted.filter and changes):
        return events_of(changes, wanted)
    renamed = next(filter(wanted.is_upset_by, changes), None)
    if renamed is not None:
        raise list_again(renamed)
    (kind,) = wanted.kinds
    ids = {each.key: each.id_before for each in changes if each.kind is kind}
    keys = {id: key for key, id in ids.items() if id}
    return events_of(changes, wanted, subjects_at(unit, kind, keys, changes[0].revision - 1))


def notice_of(unit: UnitOfWork, wanted: WatchFilter, delivery: Delivery) -> Notice:
    """What a delivery holds that was made before.

    Raises:
        Refused: HISTORY_RESET, HISTORY_TRIMMED.
    """
    if delivery.type in {DeliveryType.PING, DeliveryType.MISSED}:
        return Notice(delivery.position)
    events = events_between(unit, wanted, delivery.after, delivery.position)
    return Notice(delivery.position, events)
