"""The order in which control units are acted on: what comes before what.

Groups and levels stand in the order as gates of their own, so that it grows with the number of
units and of what they say, not with the number of pairs: 10,000 units after 10,000 others are
20,000 links, not 100 million.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from metadata_server.domain.dependency import groups_of, is_group
from metadata_server.domain.state import State


class Link(StrEnum):
    """Why one thing comes before another. Only what is required has to succeed."""

    REQUIRES = "REQUIRES"
    AFTER = "AFTER"
    LEVEL = "LEVEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A control unit, as far as its place in an order goes.

    Attributes:
        requires: ids, and groups with their slash.
        state: that it last reported.
        desired: that people want.
    """

    id: str
    unit_server: str = ""
    level: int = 0
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    state: State = State.UNSPECIFIED
    desired: State = State.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Tie:
    """What something waits for.

    Attributes:
        on: as it was declared: an id, a group, or a level.
    """

    link: Link
    on: str


@dataclass(frozen=True, slots=True)
class Ordering:
    """An order of members. Nodes are the members, by their positions, and then the gates.

    Attributes:
        members: by level, then by id; levels descend where the order does.
        gates: groups and levels; node `len(members) + i` is gate i.
        before: of each node the nodes that it waits for, and why.
        followers: of each node those that wait for it.
    """

    members: tuple[Member, ...]
    descends: bool
    gates: tuple[Tie, ...]
    before: tuple[tuple[tuple[int, Link], ...], ...]
    followers: tuple[tuple[tuple[int, Link], ...], ...]

    def waits(self, position: int) -> tuple[Tie, ...]:
        """What a member waits for."""
        count = len(self.members)
        return tuple(
            Tie(link, self.members[node].id) if node < count else self.gates[node - count]
            for node, link in self.before[position]
        )


def order_of(members: Iterable[Member], *, descends: bool = False) -> Ordering:
    """The order of some units: what is declared of others does not count.

    Args:
        descends: as units are stopped: who depends on others goes before them.
    """
    building = Building(members, descends=descends)
    building.add_dependencies(Link.REQUIRES)
    building.add_dependencies(Link.AFTER)
    building.add_levels()
    return building.finish()


class Building:
    """An order while it is made. Links go from what comes first where units are started."""

    def __init__(self, members: Iterable[Member], *, descends: bool) -> None:
        self._members = sorted(
            members, key=lambda each: (-each.level if descends else each.level, each.id)
        )
        self._descends = descends
        self._gates: list[Tie] = []
        self._links: list[tuple[int, int, Link]] = []

    def add_dependencies(self, link: Link) -> None:
        positions = {each.id: position for position, each in enumerate(self._members)}
        gates: dict[str, int] = {}
        for position, member in enumerate(self._members):
            for on in member.requires if link is Link.REQUIRES else member.after:
                if is_group(on):
                    if on not in gates:
                        gates[on] = self._gate(Tie(link, on))
                    self._links.append((gates[on], position, link))
                elif on in positions:
                    self._links.append((positions[on], position, link))
        if gates:
            for position, member in enumerate(self._members):
                for group in groups_of(member.id):
                    if group in gates:
                        self._links.append((position, gates[group], link))

    def add_levels(self) -> None:
        """Each level waits for the one before, also where that has been given up early: its gate
        waits for the gate before."""
        levels = sorted({each.level for each in self._members})
        gates = {level: self._gate(Tie(Link.LEVEL, str(level))) for level in levels[:-1]}
        following = dict(pairwise(levels))
        before = {level: earlier for earlier, level in following.items()}
        for position, member in enumerate(self._members):
            if member.level in gates:
                self._links.append((position, gates[member.level], Link.LEVEL))
            if member.level in before:
                self._links.append((gates[before[member.level]], position, Link.LEVEL))
        for one, other in pairwise(gates.values()):
            self._links.append((one, other, Link.LEVEL))

    def _gate(self, tie: Tie) -> int:
        self._gates.append(tie)
        return len(self._members) + len(self._gates) - 1

    def finish(self) -> Ordering:
        size = len(self._members) + len(self._gates)
        before: list[list[tuple[int, Link]]] = [[] for _ in range(size)]
        followers: list[list[tuple[int, Link]]] = [[] for _ in range(size)]
        for one, other, link in self._links:
            first, then = (other, one) if self._descends else (one, other)
            before[then].append((first, link))
            followers[first].append((then, link))
        return Ordering(
            tuple(self._members),
            self._descends,
            tuple(self._gates),
            tuple(map(tuple, before)),
            tuple(map(tuple, followers)),
        )


def sorted_nodes(ordering: Ordering) -> list[int]:
    """All nodes that are on no cycle, nor behind one, each after what it waits for."""
    missing = [len(before) for before in ordering.before]
    found = [node for node, count in enumerate(missing) if not count]
    for node in found:  # grows meanwhile
        for follower, _ in ordering.followers[node]:
            missing[follower] -= 1
            if not missing[follower]:
                found.append(follower)
    return found


def waves(ordering: Ordering) -> tuple[tuple[Member, ...], ...]:
    """The members in waves: each as early as what it waits for lets it, limits apart. Those on
    a cycle, or behind one, are in none."""
    count = len(ordering.members)
    wave = [0] * len(ordering.before)
    found: list[list[int]] = []
    for node in sorted_nodes(ordering):
        for first, _ in ordering.before[node]:
            wave[node] = max(wave[node], wave[first] + (first < count))
        if node < count:
            found.extend([] for _ in range(wave[node] + 1 - len(found)))
            found[wave[node]].append(node)
    return tuple(members_at(ordering, sorted(each)) for each in found)


def members_at(ordering: Ordering, positions: Sequence[int]) -> tuple[Member, ...]:
    return tuple(ordering.members[position] for position in positions)
