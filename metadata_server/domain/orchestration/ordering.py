"""The order in which control units are acted on: what comes before what.

Groups and levels stand in the order as gates of their own, so that it grows with the number of
units and of what they say, not with the number of pairs: 10,000 units after 10,000 others are
20,000 links, not 100 million.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TypeVar

from metadata_server.domain.intent.dependency import groups_of, is_group
from metadata_server.domain.life.state import State


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
    before: Sequence[Sequence[tuple[int, Link]]]
    followers: Sequence[Sequence[tuple[int, Link]]]

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


Placed = TypeVar("Placed")
"""What has an `id` and a `level`, as members have."""


def in_order(some: Iterable[Placed], *, descends: bool) -> list[Placed]:
    """Members, or what stands for them, as an order has its members."""
    by_id = sorted(some, key=attrgetter("id"))
    return sorted(by_id, key=attrgetter("level"), reverse=descends)


class Building:
    """An order while it is made. Links go from what comes first where units are started.

    It is made of as few objects as can be: with 100,000 units the collector's walks over them
    cost as much as the work itself.
    """

    def __init__(self, members: Iterable[Member], *, descends: bool) -> None:
        self._members = in_order(members, descends=descends)
        self._descends = descends
        self._gates: list[Tie] = []
        self._before: list[list[tuple[int, Link]]] = [[] for _ in self._members]
        self._followers: list[list[tuple[int, Link]]] = [[] for _ in self._members]

    def add_dependencies(self, link: Link) -> None:
        said = attrgetter("requires" if link is Link.REQUIRES else "after")
        if not any(map(said, self._members)):
            return
        positions = {each.id: position for position, each in enumerate(self._members)}
        gates: dict[str, int] = {}
        for position, member in enumerate(self._members):
            for on in said(member):
                node = positions.get(on) if not is_group(on) else gates.get(on)
                if node is None and is_group(on):
                    node = gates[on] = self._gate(Tie(link, on))
                if node is not None:
                    first, then = (position, node) if self._descends else (node, position)
                    self._before[then].append((first, link))
                    self._followers[first].append((then, link))
        self._add_groups(gates, link)

    def _add_groups(self, gates: Mapping[str, int], link: Link) -> None:
        of_group: dict[str, list[int]] = {group: [] for group in gates}
        for position, member in enumerate(self._members) if gates else ():
            for group in groups_of(member.id):
                if group in of_group:
                    of_group[group].append(position)
        for group, positions in of_group.items():
            self._join(positions, (gates[group],), link)

    def add_levels(self) -> None:
        """Each level waits for the one before, also where that has been given up early: its gate
        waits for the gate before."""
        by_level = {
            level: list(positions)
            for level, positions in groupby(
                range(len(self._members)), key=lambda position: self._members[position].level
            )
        }
        gate_before: tuple[int, ...] = ()
        for level, following in pairwise(sorted(by_level)):
            gate = self._gate(Tie(Link.LEVEL, str(level)))
            self._join(by_level[level], (gate,), Link.LEVEL)
            self._join((gate,), by_level[following], Link.LEVEL)
            self._join(gate_before, (gate,), Link.LEVEL)
            gate_before = (gate,)

    def _gate(self, tie: Tie) -> int:
        self._gates.append(tie)
        self._before.append([])
        self._followers.append([])
        return len(self._before) - 1

    def _join(self, ones: Sequence[int], others: Sequence[int], link: Link) -> None:
        """Puts all of some nodes before all others; one side is a single node."""
        firsts, thens = (others, ones) if self._descends else (ones, others)
        for first in firsts:
            pair = (first, link)
            for then in thens:
                self._before[then].append(pair)
        for then in thens:
            pair = (then, link)
            for first in firsts:
                self._followers[first].append(pair)

    def finish(self) -> Ordering:
        return Ordering(
            tuple(self._members),
            self._descends,
            tuple(self._gates),
            self._before,
            self._followers,
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
