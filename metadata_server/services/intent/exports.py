"""What an export holds: all that people have declared, as of one position, in the order in which
a bundle takes it; piece by piece, so that nobody keeps more than a piece while it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TypeVar

from metadata_server.domain.change import Position
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template, newest_published, states_of
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.resource import Resource
from metadata_server.store.intent.selections import Filter, id_range
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.past.history import key_at
from metadata_server.store.past.past import pages_at
from metadata_server.store.unit_of_work import UnitOfWork

PIECE = 200
R = TypeVar("R", bound=Resource)
Version = tuple[int, int]
"""Key of a template, and a version of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export goes on.

    Attributes:
        position: as of which all of it is.
        kinds: of which there is something left, in their order; of the first perhaps a part.
        after: the last id of that one which was read; empty: none was.
        in_use: versions of templates that units stood on, once they were looked for.
    """

    position: Position
    kinds: Sequence[Kind]
    id_prefix: str
    after: str = ""
    in_use: frozenset[Version] | None = None


Piece = tuple[Sequence[Resource], Place | None]
"""What is there, and where it goes on; None: that was the end."""


def place_of(kinds: Collection[Kind], id_prefix: str, position: Position) -> Place:
    """The beginning of an export of some kinds (none: all)."""
    wanted = [kind for kind in DECLARED if not kinds or kind in kinds]
    return Place(position, wanted, id_prefix)


def needed_for(kinds: Iterable[Kind]) -> set[Kind]:
    """The kinds of which the past has to be there."""
    needed = {*(kinds or DECLARED)}
    return needed | {Kind.CONTROL_UNIT} if Kind.TEMPLATE in needed else needed


def declared_at(
    unit: UnitOfWork, kinds: Collection[Kind], id_prefix: str, position: Position
) -> Iterator[Resource]:
    """All that an export has, at once."""
    place: Place | None = place_of(kinds, id_prefix, position)
    while place is not None:
        piece, place = piece_at(unit, place)
        yield from piece


def piece_at(unit: UnitOfWork, place: Place) -> Piece:
    """What comes next; of templates every version that was in use, the newest published one and
    the newest, oldest first."""
    kind = place.kinds[0]
    found = resources_at(unit, LAYOUTS[kind].type, place, most=PIECE)
    if len(found) == PIECE:
        following: Place | None = replace(place, after=found[-1].id)
    elif len(place.kinds) > 1:
        following = replace(place, kinds=place.kinds[1:], after="")
    else:
        following = None
    if kind is not Kind.TEMPLATE or not found:
        return found, following
    in_use = place.in_use
    if in_use is None:
        in_use = frozenset(versions_in_use(unit, place.position))
    versions = list(with_versions(unit, found, in_use, place.position))
    return versions, following and replace(following, in_use=in_use)


def resources_at(unit: UnitOfWork, type_: type[R], place: Place, *, most: int | None) -> list[R]:
    """The next resources of one kind, by id; `most` is None: all that are left."""
    if place.position == unit.position:
        span = id_range(LAYOUTS[type_.kind].table.c.id, prefix=place.id_prefix, after=place.after)
        return unit.resources.where(type_, *span, limit=most)
    wanted, revision = Filter(place.id_prefix, {}), place.position.revision
    pages = pages_at(unit, type_, wanted, after=place.after, size=PIECE, revision=revision)
    return list(islice(chain.from_iterable(pages), most))


def with_versions(
    unit: UnitOfWork, templates: Iterable[Resource], in_use: Collection[Version], position: Position
) -> Iterator[Template]:
    """The versions of templates that units stood on, the newest published one, and the newest;
    oldest first."""
    for head in templates:
        assert isinstance(head, Template)
        for version in versions_of(unit, head, position):
            pair = (head.meta.key, version.version)
            if pair in in_use or version.version in {head.version, published(head)}:
                yield version


def versions_of(unit: UnitOfWork, head: Template, position: Position) -> Sequence[Template]:
    """All versions that there were of a template, oldest first."""
    versions = unit.resources.all_versions(head)
    if position == unit.position:
        return versions
    states = states_of(head.versions)
    return [
        *(
            replace(each, id=head.id, version_state=states.get(each.version, each.version_state))
            for each in versions
            if each.version < head.version
        ),
        head,
    ]


def published(head: Template) -> int:
    """The newest published version; 0: there is none."""
    return newest_published(states_of(head.versions) or {head.version: head.version_state})


def versions_in_use(unit: UnitOfWork, position: Position) -> set[Version]:
    if position == unit.position:
        return unit.resources.versions_in_use()
    units = resources_at(unit, ControlUnit, Place(position, [Kind.CONTROL_UNIT], ""), most=None)
    named = {(each.template, each.template_version) for each in units}
    keys = {
        id: key_at(unit.connection, Kind.TEMPLATE, id, position.revision)
        for id in {id for id, _ in named}
    }
    return {(key, version) for id, version in named if (key := keys[id]) is not None}
