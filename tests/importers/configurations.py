"""What a unit would run with, worked out from a bundle by the rules of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass

from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.driver_pb2 import Driver
from mds.v1.template_pb2 import Template

from control_units.importers.chaos.attributes import SPELLINGS

Facets = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Effective:
    """Facets of attributes that have any, drivers in order, parameters by name."""

    attributes: Mapping[str, Facets]
    drivers: list[tuple[str, str, str, Mapping[str, str]]]
    parameters: Mapping[str, str]


def effective(unit: ControlUnit, template: Template) -> Effective:
    attributes = {each.name: _facets(each) for each in template.attributes}
    for override in unit.overrides:
        attributes[override.attribute] = {**attributes[override.attribute], **_facets(override)}
    defaults = {
        each.name: each.default_value
        for each in template.parameters
        if each.HasField("default_value")
    }
    return Effective(
        {name: facets for name, facets in attributes.items() if facets},
        [_completed(each, template) for each in unit.drivers or template.drivers],
        {**defaults, **unit.parameters},
    )


def _facets(message: object) -> dict[str, str]:
    listed = message.ListFields()  # type: ignore[attr-defined]
    return {field.name: value for field, value in listed if field.name in SPELLINGS}


def _completed(driver: Driver, template: Template) -> tuple[str, str, str, Mapping[str, str]]:
    offered = [*template.drivers, *template.alternative_drivers]
    named = [each for each in offered if each.name == driver.name]
    base = next((each for each in named if each.version == driver.version), named[0])
    return (
        driver.name,
        driver.version or base.version,
        driver.init_parameter or base.init_parameter,
        {**base.properties, **driver.properties},
    )
