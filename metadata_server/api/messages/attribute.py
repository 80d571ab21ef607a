"""Attributes, overrides, parameters, drivers on the wire: the parts of many resources."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from mds.v1 import dataset_pb2, driver_pb2, parameter_pb2

from metadata_server.api.messages.enums import DIRECTIONS, VALUE_TYPES
from metadata_server.api.messages.reading import Reading
from metadata_server.domain.intent.attribute import (
    FACETS,
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    Parameter,
    ValueType,
)

DIRECTION, TYPE = DIRECTIONS.number, VALUE_TYPES.number
FACET_NAMES = frozenset(FACETS)


def attribute_message(attribute: Attribute) -> dataset_pb2.Attribute:
    return dataset_pb2.Attribute(
        name=attribute.name,
        description=attribute.description,
        direction=DIRECTION[attribute.direction],
        type=TYPE[attribute.type],
        shape=attribute.shape,
        maximum_size_bytes=attribute.maximum_size_bytes,
        mime_type=attribute.mime_type,
        **attribute.facets,
    )


def facets_of(message: Any) -> dict[str, str]:
    """The facets that a message sets; an empty text that was given is one."""
    return {field.name: value for field, value in message.ListFields() if field.name in FACET_NAMES}


def attributes_of(
    messages: Iterable[dataset_pb2.Attribute], reading: Reading
) -> tuple[Attribute, ...]:
    """Attributes, in the order given."""
    return tuple(
        Attribute(
            message.name,
            reading.member(
                DIRECTIONS,
                message.direction,
                f"attributes[{position}].direction",
                Direction.UNSPECIFIED,
            ),
            reading.member(
                VALUE_TYPES, message.type, f"attributes[{position}].type", ValueType.UNSPECIFIED
            ),
            tuple(message.shape),
            message.description,
            facets_of(message),
            message.maximum_size_bytes,
            message.mime_type,
        )
        for position, message in enumerate(messages)
    )


def override_message(override: AttributeOverride) -> dataset_pb2.AttributeOverride:
    return dataset_pb2.AttributeOverride(attribute=override.attribute, **override.facets)


def overrides_of(
    messages: Iterable[dataset_pb2.AttributeOverride],
) -> tuple[AttributeOverride, ...]:
    """Overrides, sorted by attribute."""
    found = (AttributeOverride(message.attribute, facets_of(message)) for message in messages)
    return tuple(sorted(found, key=attrgetter("attribute")))


def parameter_message(parameter: Parameter) -> parameter_pb2.Parameter:
    return parameter_pb2.Parameter(
        name=parameter.name,
        type=TYPE[parameter.type],
        description=parameter.description,
        required=parameter.required,
        **parameter.facets,
    )


def parameters_of(
    messages: Iterable[parameter_pb2.Parameter], reading: Reading, *, path: str
) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            message.name,
            reading.member(
                VALUE_TYPES, message.type, f"{path}[{position}].type", ValueType.UNSPECIFIED
            ),
            message.description,
            facets_of(message),
            message.required,
        )
        for position, message in enumerate(messages)
    )


def driver_message(driver: Driver) -> driver_pb2.Driver:
    return driver_pb2.Driver(
        name=driver.name,
        version=driver.version,
        init_parameter=driver.init_parameter,
        properties=driver.properties,
    )


def drivers_of(messages: Iterable[driver_pb2.Driver]) -> tuple[Driver, ...]:
    """Drivers, in the order in which they are used."""
    return tuple(
        Driver(message.name, message.version, message.init_parameter, dict(message.properties))
        for message in messages
    )
