"""Templates: kinds of control units, versioned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from typing import ClassVar

from metadata_server.domain.intent.attribute import Attribute, Driver, Parameter
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource


class VersionState(StrEnum):
    """Where a version of a template stands."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    DEPRECATED = "DEPRECATED"


@dataclass(frozen=True, slots=True)
class VersionMark:
    """That a template has a version, and where that stands."""

    version: int
    version_state: VersionState


@dataclass(frozen=True, slots=True)
class Command:
    """An order that a control unit understands besides the verbs of its life."""

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()


class Relation(StrEnum):
    """How the left of a requirement stands to its right."""

    LESS = "LESS"
    AT_MOST = "AT_MOST"
    EQUAL = "EQUAL"
    DIFFERENT = "DIFFERENT"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold between attributes of every unit; see `mds.v1.Requirement`.

    Attributes:
        left, right: an attribute, `{attribute}.{facet}`, or a number.
    """

    left: str
    relation: Relation
    right: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(Resource):
    """One version of a kind of control unit; read without asking for one, the newest.

    Attributes:
        implementation: class as its code names it.
        drivers: used by every unit that names none of its own.
        alternative_drivers: that a unit may name instead.
        versions: all that there are, oldest first; nobody but the server sets them, and only in
            the newest.
    """

    kind: ClassVar[Kind] = Kind.TEMPLATE

    version: int = 0
    version_state: VersionState = VersionState.PUBLISHED
    implementation: str = ""
    group: str = ""
    interface: str = ""
    drivers: tuple[Driver, ...] = ()
    alternative_drivers: tuple[Driver, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    commands: tuple[Command, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    versions: tuple[VersionMark, ...] = ()

    @property
    def published_version(self) -> int:
        """The newest version that new units may use; 0: there is none."""
        marks = self.versions or (VersionMark(self.version, self.version_state),)
        return newest_published({each.version: each.version_state for each in marks})

    def has_content_of(self, other: Template) -> bool:
        """Whether two versions say the same. Attributes that stand in another order say so of a
        draft alone: a file whose attributes are arranged otherwise publishes no new version."""
        same = replace(
            other,
            version=self.version,
            version_state=self.version_state,
            versions=self.versions,
        )
        if other.version_state is not VersionState.DRAFT and by_name(self) == by_name(other):
            same = replace(same, attributes=self.attributes)
        return self == same


@dataclass(frozen=True, slots=True)
class VersionUse:
    """One version of a template, and how many control units stand on it."""

    version: Template
    units: int


def by_name(template: Template) -> list[Attribute]:
    return sorted(template.attributes, key=attrgetter("name"))


def newest_published(states: Mapping[int, VersionState]) -> int:
    """Of the states of versions; 0: none is published."""
    return max((v for v, state in states.items() if state is VersionState.PUBLISHED), default=0)


def marks_of(states: Mapping[int, VersionState]) -> tuple[VersionMark, ...]:
    return tuple(VersionMark(version, states[version]) for version in sorted(states))


def states_of(marks: Iterable[VersionMark]) -> dict[int, VersionState]:
    return {each.version: each.version_state for each in marks}


def class_of(implementation: str) -> str:
    """A class as it is compared: a leading `::` makes no difference."""
    return implementation.removeprefix("::")
