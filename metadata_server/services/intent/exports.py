"""What an export holds: all that people have declared, as of one position, in the order in which
a bundle takes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

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

PIECE = 500
Version = tuple[int, int]
"""Key of a template, and a version of it."""


def declared_at(
    unit: UnitOfWork, kinds: Collection[Kind], id_prefix: str, position: Position
) -> Iterator[Resource]:
    """All resources of some kinds (none: all) at a position; of templates every version that was
    in use, the newest published one and the newest, oldest first."""
    for kind in DECLARED:
        if kinds and kind not in kinds:
            continue
        found = resources_at(unit, LAYOUTS[kind].type, id_prefix, position)
        yield from with_versions(unit, found, position) if kind is Kind.TEMPLATE else found


def resources_at(
    unit: UnitOfWork, type_: type[Resource], id_prefix: str, position: Position
) -> Iterator[Resource]:
    """Resources of one kind, by id."""
    if position == unit.position:
        table = LAYOUTS[type_.kind].table
        yield from unit.resources.where(type_, *id_range(table.c.id, prefix=id_prefix))
        return
    wanted = Filter(id_prefix, {})
    for piece in pages_at(unit, type_, wanted, after="", size=PIECE, revision=position.revision):
        yield from piece


def with_versions(
    unit: UnitOfWork, templates: Iterator[Resource], position: Position
) -> Iterator[Template]:
    """The versions of templates that units stood on, the newest published one, and the newest;
    oldest first."""
    in_use = versions_in_use(unit, position)
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
    units = resources_at(unit, ControlUnit, "", position)
    named = {
        (each.template, each.template_version) for each in units if isinstance(each, ControlUnit)
    }
    keys = {
        id: key_at(unit.connection, Kind.TEMPLATE, id, position.revision)
        for id in {id for id, _ in named}
    }
    return {(key, version) for id, version in named if (key := keys[id]) is not None}
