"""Cycles: units none of which can go first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metadata_server.domain.orchestration.ordering import (
    Link,
    Member,
    Ordering,
    Tie,
    order_of,
    sorted_nodes,
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One unit of a cycle, and what it waits for: the next unit, or a group or level of it."""

    id: str
    tie: Tie


def cycle_of(members: Iterable[Member]) -> tuple[Turn, ...]:
    """A cycle among some units, each waiting for the next and the last for the first; empty:
    there is none. A unit that requires one of a higher level is on one, too."""
    ordering = order_of(members)
    free = set(sorted_nodes(ordering))
    start = next((node for node in range(len(ordering.before)) if node not in free), None)
    if start is None:
        return ()
    # What is left all waits for something that is left, so that a walk must come back.
    met: dict[int, int] = {}
    path: list[tuple[int, Link]] = []
    node = start
    while node not in met:
        met[node] = len(path)
        first, link = next(each for each in ordering.before[node] if each[0] not in free)
        path.append((node, link))
        node = first
    return turns(ordering, path[met[node] :])


def cycles_of(members: Iterable[Member], *, most: int) -> list[tuple[Turn, ...]]:
    """Cycles among some units that have no unit in common, at most so many. Where there is any
    cycle, one of them is found."""
    left = list(members)
    found: list[tuple[Turn, ...]] = []
    while len(found) < most and (cycle := cycle_of(left)):
        found.append(cycle)
        gone = {turn.id for turn in cycle}
        left = [each for each in left if each.id not in gone]
    return found


def turns(ordering: Ordering, path: Sequence[tuple[int, Link]]) -> tuple[Turn, ...]:
    """A cycle of nodes as one of units, from the smallest id on; gates are told as ties."""
    count = len(ordering.members)
    nodes = [node for node, _ in path]
    found = []
    for place, (node, link) in enumerate(path):
        if node < count:
            following = nodes[(place + 1) % len(nodes)]
            tie = (
                Tie(link, ordering.members[following].id)
                if following < count
                else ordering.gates[following - count]
            )
            found.append(Turn(ordering.members[node].id, tie))
    least = min(range(len(found)), key=lambda place: found[place].id)
    return tuple(found[least:] + found[:least])


WORDS = {
    Link.REQUIRES: "requires",
    Link.AFTER: "comes after",
    Link.LEVEL: "comes after level",
}


def told(cycle: Sequence[Turn]) -> str:
    """A cycle as people read it: `A/1 requires B/ (B/1), B/1 comes after A/1`."""
    parts = []
    for place, turn in enumerate(cycle):
        following = cycle[(place + 1) % len(cycle)].id
        aside = "" if turn.tie.on == following else f" ({following})"
        parts.append(f"{turn.id} {WORDS[turn.tie.link]} {turn.tie.on}{aside}")
    return ", ".join(parts)
