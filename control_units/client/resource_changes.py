"""What became of resources that somebody holds a copy of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from mds.v1.watch_pb2 import Event, EventAction

R = TypeVar("R", bound=Message)
_GONE = frozenset({EventAction.EVENT_ACTION_DELETED, EventAction.EVENT_ACTION_LEFT})


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """What became of one resource of a mirror.

    Attributes:
        id: its id; the last one, where it is gone.
        before: as the mirror had it; None: it had it not.
        after: as the mirror has it; None: it is gone, or passes no longer.
        former_id: that the change has taken away; empty: it has kept its id.
    """

    id: str
    before: R | None
    after: R | None
    former_id: str = ""


def image_of(event: Event) -> Any:
    """The resource as of an event; None: it is gone, or passes no longer."""
    kind = event.WhichOneof("resource")
    return None if event.action in _GONE or kind is None else getattr(event, kind)


def difference(before: Mapping[str, R], after: Mapping[str, R]) -> list[Change[R]]:
    """What became of resources between two lists; one that was renamed is gone, and another is
    new."""
    gone = [Change(id, one, None) for id, one in before.items() if id not in after]
    there = [Change(id, before.get(id), one) for id, one in after.items()]
    return [*gone, *(each for each in there if each.before != each.after)]


def merge(waiting: dict[str, Change[R]], changes: Iterable[Change[R]]) -> None:
    """Adds changes to those that wait, by id: several of one resource become one."""
    for change in changes:
        earlier = waiting.pop(change.former_id, None) or waiting.pop(change.id, None)
        if earlier is not None:
            change = replace(  # noqa: PLW2901 - it takes their place
                change,
                before=earlier.before,
                former_id=earlier.former_id or change.former_id,
            )
        if change.before != change.after or change.former_id:
            waiting[change.id] = change
