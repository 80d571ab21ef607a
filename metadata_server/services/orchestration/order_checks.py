"""Checks of what control units say of their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from metadata_server.domain.audit import Finding, Severity
from metadata_server.domain.intent.dependency import is_group
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.cycle import cycles_of, told
from metadata_server.domain.orchestration.ordering import Member
from metadata_server.services.auditing.audit_pieces import Asked, Piece
from metadata_server.store.intent.dependencies import depending_units, highest_of, levels_of
from metadata_server.store.unit_of_work import UnitOfWork

MOST_CYCLES = 20
Highest = Mapping[str, tuple[str, int]]
"""Of what is depended on and is there: the unit of the highest level, and that level."""


def dependency_cycle(unit: UnitOfWork, asked: Asked) -> Piece:
    """Control units that depend on one another in a cycle, so that none can go first."""
    members = [replace(each, level=0) for each in depending_units(unit)]
    prefix = asked.audited.id_prefix
    return Piece(
        tuple(
            Finding(
                Severity.WARNING,
                Kind.CONTROL_UNIT.name_of(cycle[0].id),
                f"It waits for itself: {told(cycle)}.",
                {"cycle": ", ".join(turn.id for turn in cycle)},
            )
            for cycle in cycles_of(members, most=MOST_CYCLES)
            if any(turn.id.startswith(prefix) for turn in cycle)
        )
    )


def dependency_not_declared(unit: UnitOfWork, asked: Asked) -> Piece:
    """Control units that depend on units that are not declared, or on groups without units."""
    members = asked_members(unit, asked)
    highest = highest_in(unit, members)
    return Piece(
        tuple(
            Finding(
                Severity.WARNING if word == "requires" else Severity.NOTICE,
                Kind.CONTROL_UNIT.name_of(member.id),
                f"It {WORDS[word]} {on}, which {'has no unit' if is_group(on) else 'is not there'}.",
                {word: on},
            )
            for member in members
            for word, on in ties(member)
            if on not in highest
        ),
        asked.following([each.id for each in members]),
    )


def dependency_against_level(unit: UnitOfWork, asked: Asked) -> Piece:
    """Control units that depend on units of a higher level, which can only come after them."""
    members = asked_members(unit, asked)
    highest = highest_in(unit, members)
    return Piece(
        tuple(
            Finding(
                Severity.WARNING,
                Kind.CONTROL_UNIT.name_of(member.id),
                f"It {WORDS[word]} {highest[on][0]} of level {highest[on][1]}, and is itself of "
                f"level {member.level}: each waits for the other.",
                {word: on, "unit": highest[on][0], "level": str(highest[on][1])},
            )
            for member in members
            for word, on in ties(member)
            if on in highest and highest[on][1] > member.level
        ),
        asked.following([each.id for each in members]),
    )


WORDS = {"requires": "requires", "after": "comes after"}


def ties(member: Member) -> Iterator[tuple[str, str]]:
    """What a unit depends on, with the field that says so."""
    yield from (("requires", on) for on in member.requires)
    yield from (("after", on) for on in member.after)


def asked_members(unit: UnitOfWork, asked: Asked) -> list[Member]:
    span = asked.span
    return depending_units(unit, prefix=span.prefix, after=span.after, limit=span.limit)


def highest_in(unit: UnitOfWork, members: Iterable[Member]) -> Highest:
    wanted = {on for member in members for _, on in ties(member)}
    levels = levels_of(unit, (on for on in wanted if not is_group(on)))
    found = {id: (id, level) for id, level in levels.items()}
    for group in sorted(filter(is_group, wanted)):
        if (highest := highest_of(unit, group)) is not None:
            found[group] = highest
    return found
