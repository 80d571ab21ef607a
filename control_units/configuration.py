"""What a unit uses: its own dataset, narrowed by what the server says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mds.v1 import configuration_pb2, dataset_pb2, driver_pb2

from control_units.attributes import FACETS, Description, Direction
from control_units.control_unit import Driver
from control_units.values import ValueType

_NARROWED = frozenset({Direction.UNSPECIFIED, Direction.INPUT, Direction.BIDIRECTIONAL})


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a unit uses.

    Attributes:
        attributes: by name, sorted; exactly those of the unit's dataset.
        drivers: in the order in which they are used.
    """

    attributes: Mapping[str, Description] = field(default_factory=dict)
    drivers: tuple[Driver, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)


def effective(
    dataset: Mapping[str, Description], told: configuration_pb2.Configuration
) -> Configuration:
    """A dataset narrowed by what the server told.

    Only input and bidirectional attributes are narrowed; name, direction, type, shape and size
    are the dataset's, as far as it says. What the server tells of attributes that the dataset
    does not have is left out.
    """
    attributes = dict(dataset)
    for attribute in told.attributes:
        if attribute.name in dataset:
            attributes[attribute.name] = _narrowed(dataset[attribute.name], attribute)
    return Configuration(
        attributes=attributes,
        drivers=tuple(_driver(each) for each in told.drivers),
        parameters=dict(told.parameters),
    )


def _narrowed(own: Description, told: dataset_pb2.Attribute) -> Description:
    direction = own.direction or Direction(told.direction)
    type, shape = own.type, own.shape
    if type is ValueType.UNSPECIFIED:
        type, shape = ValueType(told.type), own.shape or tuple(told.shape)
    facets = {**own.facets, **_facets(told)} if direction in _NARROWED else own.facets
    return replace(own, direction=direction, type=type, shape=shape, facets=facets)


def description(attribute: dataset_pb2.Attribute) -> Description:
    """An attribute as it came over the wire."""
    return Description(
        name=attribute.name,
        direction=Direction(attribute.direction),
        type=ValueType(attribute.type),
        shape=tuple(attribute.shape),
        description=attribute.description,
        facets=_facets(attribute),
        maximum_size_bytes=attribute.maximum_size_bytes,
        mime_type=attribute.mime_type,
    )


def to_wire(description: Description) -> dataset_pb2.Attribute:
    """An attribute as it goes over the wire."""
    attribute = dataset_pb2.Attribute(
        name=description.name,
        direction=dataset_pb2.Direction.ValueType(description.direction),
        type=dataset_pb2.ValueType.ValueType(description.type),
        shape=description.shape,
        description=description.description,
        maximum_size_bytes=description.maximum_size_bytes,
        mime_type=description.mime_type,
    )
    for facet, text in description.facets.items():
        setattr(attribute, facet, text)
    return attribute


def _facets(attribute: dataset_pb2.Attribute) -> dict[str, str]:
    # ListFields names what is set, at a tenth of the price of asking for each facet.
    return {
        field.name: value for field, value in attribute.ListFields() if field.name in _FACET_NAMES
    }


def _driver(driver: driver_pb2.Driver) -> Driver:
    return Driver(
        name=driver.name,
        version=driver.version,
        init_parameter=driver.init_parameter,
        properties=dict(driver.properties),
    )


_FACET_NAMES = frozenset(FACETS)
