"""What an order to units would do: the steps, what is there already, what is blocked and by
whom, and whom it would leave without what they require."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from metadata_server.domain.intent.dependency import groups_of, is_group
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.cycle import cycle_of, told
from metadata_server.domain.orchestration.ordering import (
    Link,
    Member,
    Ordering,
    order_of,
    sorted_nodes,
)
from metadata_server.domain.refused import Refused


class Verb(StrEnum):
    """What units are ordered to do."""

    LOAD = "LOAD"
    INIT = "INIT"
    START = "START"
    STOP = "STOP"
    DEINIT = "DEINIT"
    UNLOAD = "UNLOAD"
    RECOVER = "RECOVER"
    EDIT = "EDIT"


TARGETS: Mapping[Verb, State] = {
    Verb.LOAD: State.LOADED,
    Verb.INIT: State.INITIALIZED,
    Verb.START: State.RUNNING,
    Verb.STOP: State.STOPPED,
    Verb.DEINIT: State.LOADED,
    Verb.UNLOAD: State.UNLOADED,
}
DESCENDING = frozenset({Verb.STOP, Verb.DEINIT, Verb.UNLOAD})


@dataclass(frozen=True, slots=True)
class Blockage:
    """Why nothing is ordered to a unit.

    Attributes:
        by: unit or group that is in the way; empty: something else is.
        why: the rest of a sentence that begins with `by`.
    """

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """What an order would do.

    Attributes:
        ordering: of the units that it acts on.
        there: ids of the units that are where they shall be, and wanted there.
        blocked: by id of the unit.
    """

    verb: Verb
    ordering: Ordering
    there: tuple[str, ...]
    blocked: Mapping[str, Blockage]

    @property
    def taken_over(self) -> tuple[str, ...]:
        """Ids of the units that it takes over from older orders: those that it acts on, and those
        that it wants where they are. What it leaves alone, others go on with."""
        wanted_there = self.there if self.verb in TARGETS else ()
        return (*(each.id for each in self.ordering.members), *wanted_there)


def plan_order(
    verb: Verb,
    chosen: Iterable[Member],
    others: Iterable[Member] = (),
    *,
    barred: Mapping[str, str] | None = None,
    even_so: bool = False,
) -> OrderPlan:
    """The plan of an order.

    Args:
        others: the other units of the facility, as far as they matter to it.
        barred: why some of the chosen may not be touched, by id.
        even_so: units that are not chosen block nothing.

    Raises:
        Refused: DEPENDENCY_CYCLE, when chosen units depend on one another in a cycle, naming it.
    """
    members = sorted(chosen, key=attrgetter("id"))
    descends = verb in DESCENDING
    ordering = order_of(members, descends=descends)
    refuse_cycles(ordering)
    there = [each for each in members if is_there(verb, each)]
    settled = {each.id for each in there}
    acted_on = [each for each in members if each.id not in settled] if there else members
    blocked = {
        each.id: Blockage("", barred[each.id]) for each in acted_on if barred and each.id in barred
    }
    find = None if even_so else DEPENDED_ON.get(verb)
    if find is not None:
        blocked = find(acted_on, [*others, *there]) | blocked
    if blocked:
        if there:
            ordering = order_of(acted_on, descends=descends)
        spread(blocked, ordering)
    if there or blocked:
        left = (each for each in acted_on if each.id not in blocked)
        ordering = order_of(left, descends=descends)
    return OrderPlan(verb, ordering, tuple(sorted(settled)), blocked)


def refuse_cycles(ordering: Ordering) -> None:
    """Raises:
    Refused: DEPENDENCY_CYCLE, naming one.
    """
    if len(sorted_nodes(ordering)) < len(ordering.before):
        cycle = cycle_of(ordering.members)
        message = f"None of these units can go first: {told(cycle)}. One of them has to wait less."
        raise Refused.invalid("DEPENDENCY_CYCLE", message, cycle=told(cycle))


def is_there(verb: Verb, member: Member) -> bool:
    if verb is Verb.EDIT:
        return False
    if verb is Verb.RECOVER:
        return member.state is not State.RECOVERABLE_ERROR
    return TARGETS[verb] is member.state is member.desired


def not_running(acted_on: list[Member], rest: list[Member]) -> dict[str, Blockage]:
    """The units that require some that are not RUNNING and will not be, or are not declared."""
    known = {each.id: each for each in (*rest, *acted_on)}
    going = {each.id for each in acted_on}
    wanted = {on for each in acted_on for on in each.requires if is_group(on)}
    held: dict[str, Member | None] = {}
    for member in (*rest, *acted_on) if wanted else ():
        ready = member.id in going or member.state is State.RUNNING
        for group in groups_of(member.id):
            if group in wanted:
                held[group] = held.get(group) or (None if ready else member)
    found: dict[str, Blockage] = {}
    for member in acted_on:
        for on in member.requires:
            blockage = (
                group_blockage(on, held)
                if is_group(on)
                else unit_blockage(on, known.get(on), going)
            )
            if blockage is not None:
                found.setdefault(member.id, blockage)
    return found


def unit_blockage(id: str, required: Member | None, going: set[str]) -> Blockage | None:
    if required is None:
        return Blockage(id, "is not declared")
    if id in going or required.state is State.RUNNING:
        return None
    return Blockage(id, f"is {required.state}, and not part of this order")


def group_blockage(group: str, held: Mapping[str, Member | None]) -> Blockage | None:
    if group not in held:
        return Blockage(group, "has no unit")
    member = held[group]
    return unit_blockage(member.id, member, set()) if member is not None else None


def still_running(acted_on: list[Member], rest: list[Member]) -> dict[str, Blockage]:
    """The units that others require which are RUNNING and stay so."""
    needed: dict[str, str] = {}
    for member in sorted(rest, key=lambda each: each.id):
        if member.state is State.RUNNING:
            for on in member.requires:
                needed.setdefault(on, member.id)
    found: dict[str, Blockage] = {}
    for member in acted_on:
        for on in (member.id, *groups_of(member.id)):
            if on in needed:
                why = f"requires {on}, is RUNNING, and is not part of this order"
                found.setdefault(member.id, Blockage(needed[on], why))
    return found


DEPENDED_ON = {
    Verb.START: not_running,
    Verb.STOP: still_running,
    Verb.DEINIT: still_running,
    Verb.UNLOAD: still_running,
}


def spread(blocked: dict[str, Blockage], ordering: Ordering) -> None:
    """Blocks also what would have to wait for what is blocked."""
    count = len(ordering.members)
    waiting = deque(
        (position, each.id) for position, each in enumerate(ordering.members) if each.id in blocked
    )
    seen = {position for position, _ in waiting}
    while waiting:
        node, by = waiting.popleft()
        for follower, link in ordering.followers[node]:
            if link is not Link.REQUIRES or follower in seen:
                continue
            seen.add(follower)
            if follower < count:
                id = ordering.members[follower].id
                blocked[id] = Blockage(by, "is blocked itself")
                waiting.append((follower, id))
            else:
                waiting.append((follower, by))


def blast_radius(stopping: Iterable[str], facility: Iterable[Member]) -> Mapping[str, str]:
    """The RUNNING units that require what would stop, directly or through others that are
    RUNNING; each with the one through which it is hit. What stops itself is not among them."""
    requirers: dict[str, list[str]] = {}
    for member in sorted(facility, key=lambda each: each.id):
        if member.state is State.RUNNING:
            for on in member.requires:
                requirers.setdefault(on, []).append(member.id)
    hit: dict[str, str] = {}
    waiting = deque(dict.fromkeys(stopping))
    known = set(waiting)
    while waiting:
        id = waiting.popleft()
        for on in (id, *groups_of(id)):
            # Whom a group hits it hits once, however many of it stop.
            for requirer in requirers.pop(on, ()):
                if requirer not in known:
                    known.add(requirer)
                    hit[requirer] = id
                    waiting.append(requirer)
    return hit
