"""What a unit shall use: its published dataset, narrowed by its template, then by its overrides.

What all units of one template and one dataset share is worked out once, as a `Narrowing`; a
boot storm asks for ten thousand configurations of a few of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from types import MappingProxyType

from metadata_server.domain.intent import fingerprint
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    ValueType,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.tree import Tree, branch_of, labels


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one unit shall use.

    Attributes:
        template: id of the template.
        implementation: class as its code names it.
        attributes: all of them, sorted by name.
        drivers: all of them, in the order in which they are used.
        parameters: values of all that have one, by name.
        fingerprint: of all this but the first three.
        shared: that of a unit which changes nothing, whose unchanged parts this one has;
            None: this is one.
    """

    template: str
    template_version: int
    implementation: str
    attributes: tuple[Attribute, ...]
    drivers: tuple[Driver, ...]
    parameters: Mapping[str, str]
    fingerprint: str
    shared: Configuration | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A dataset narrowed by a template: what their units have before they change anything.

    Attributes:
        positions: where each attribute stands in `shared`, by name.
        members: canonical text of each attribute of `shared`.
        tail: canonical text of the rest of `shared`.
        shared: configuration of a unit that changes nothing.
    """

    template: Template
    positions: Mapping[str, int]
    members: tuple[bytes, ...]
    tail: bytes
    shared: Configuration

    def configuration(self, unit: ControlUnit) -> Configuration:
        """What a unit shall use. An override of an output, or of an attribute that is not
        there, changes nothing."""
        if not (unit.overrides or unit.drivers or unit.parameters):
            return self.shared
        attributes, members = self.overridden(unit.overrides)
        shared = self.shared
        drivers, parameters, tail = shared.drivers, shared.parameters, self.tail
        if unit.drivers:
            drivers = tuple(completed(each, self.template) for each in unit.drivers)
        if unit.parameters:
            parameters = {**parameters, **unit.parameters}
        if unit.drivers or unit.parameters:
            tail = fingerprint.tail(drivers, parameters)
        return Configuration(
            shared.template,
            shared.template_version,
            shared.implementation,
            attributes,
            drivers,
            parameters,
            fingerprint.fingerprint(members, tail),
            shared,
        )

    def overridden(
        self, overrides: Iterable[AttributeOverride]
    ) -> tuple[tuple[Attribute, ...], Sequence[bytes]]:
        """The attributes and their canonical texts, with what a unit changes of them."""
        attributes, members = list(self.shared.attributes), list(self.members)
        for override in overrides:
            position = self.positions.get(override.attribute)
            if position is None:
                continue
            attribute = attributes[position]
            if attribute.direction is Direction.OUTPUT:
                continue
            changed = narrowed(attribute, override.facets)
            attributes[position] = changed
            members[position] = fingerprint.member(changed)
        return tuple(attributes), members


def effective(
    dataset: Sequence[Attribute] | None, template: Template, unit: ControlUnit
) -> Configuration:
    """What one unit shall use; `dataset` None: nothing has been published yet."""
    return narrow(dataset, template).configuration(unit)


def narrow(dataset: Sequence[Attribute] | None, template: Template) -> Narrowing:
    """What the units of a template share, with the dataset that their code published.

    Only input and bidirectional attributes are narrowed; which attributes there are, and
    their name, type, direction and size, the dataset says as soon as there is one.
    """
    declared = {each.name: each for each in template.attributes}
    found = (
        template.attributes
        if dataset is None
        else [told(each, declared.get(each.name)) for each in dataset]
    )
    attributes = tuple(sorted(found, key=attrgetter("name")))
    parameters = {
        each.name: each.facets["default_value"]
        for each in template.parameters
        if "default_value" in each.facets
    }
    members = tuple(fingerprint.member(each) for each in attributes)
    tail = fingerprint.tail(template.drivers, parameters)
    shared = Configuration(
        template.id,
        template.version,
        template.implementation,
        attributes,
        template.drivers,
        MappingProxyType(parameters),
        fingerprint.fingerprint(members, tail),
    )
    positions = {each.name: position for position, each in enumerate(attributes)}
    return Narrowing(template, positions, members, tail, shared)


def told(published: Attribute, declared: Attribute | None) -> Attribute:
    """A published attribute with what a template declares of it; what the code leaves open
    is taken from the template."""
    if declared is None:
        return published
    direction = published.direction
    if direction is Direction.UNSPECIFIED:
        direction = declared.direction
    untyped = published.type is ValueType.UNSPECIFIED
    open_ = replace(
        published,
        direction=direction,
        type=declared.type if untyped else published.type,
        shape=declared.shape if untyped and not published.shape else published.shape,
        description=published.description or declared.description,
        mime_type=published.mime_type or declared.mime_type,
    )
    return open_ if direction is Direction.OUTPUT else narrowed(open_, declared.facets)


def narrowed(attribute: Attribute, facets: Mapping[str, str]) -> Attribute:
    """An attribute with some of its facets replaced."""
    return Attribute(
        attribute.name,
        attribute.direction,
        attribute.type,
        attribute.shape,
        attribute.description,
        {**attribute.facets, **facets},
        attribute.maximum_size_bytes,
        attribute.mime_type,
    )


def completed(driver: Driver, template: Template) -> Driver:
    """A unit's driver, with what it leaves empty from the template's."""
    base = base_of(driver, template)
    if base is None:
        return driver
    return Driver(
        driver.name,
        driver.version or base.version,
        driver.init_parameter or base.init_parameter,
        {**base.properties, **driver.properties},
    )


def base_of(driver: Driver, template: Template) -> Driver | None:
    """The template's driver of that name, of that version where it names one that is there;
    None: it has none."""
    offered = [each for each in offered_drivers(template) if each.name == driver.name]
    found = (each for each in offered if each.version == driver.version)
    return next(found, offered[0] if offered else None)


def offered_drivers(template: Template) -> tuple[Driver, ...]:
    """The drivers that a unit may name, those that it has anyway first."""
    return template.drivers + template.alternative_drivers


def driver_trees(drivers: Iterable[Driver]) -> Tree:
    """Drivers as people are told of them, each by what it is called."""
    drivers = tuple(drivers)
    trees = (branch_of(each, without={"name"}) for each in drivers)
    return dict(zip(labels([each.name for each in drivers]), trees, strict=True))
