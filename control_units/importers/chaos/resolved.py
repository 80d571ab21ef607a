"""Control units against their templates: only what differs is said by the unit."""

from collections.abc import Mapping, Sequence

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import Attribute, AttributeOverride
from mds.v1.driver_pb2 import Driver
from mds.v1.template_pb2 import Template

from control_units.importers.chaos.attributes import SPELLINGS
from control_units.importers.chaos.units import StatedUnit


class Inheritance:
    """What units inherit from one template, indexed once for all of them."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._facets = {a.name: _facets_of(a) for a in template.attributes}
        self._parameters = {
            parameter.name: parameter.default_value
            for parameter in template.parameters
            if parameter.HasField("default_value")
        }

    def control_unit(self, unit: StatedUnit) -> BundleItem:
        """A unit as an item of a bundle. Its configuration is what its entry states."""
        resource = ControlUnit(
            name=unit.name,
            template=self._template.name,
            unit_server=unit.host,
            description=unit.description,
            desired_state=unit.desired_state,
            overrides=self._overrides(unit),
            drivers=_own_drivers(unit.drivers, self._template.drivers),
        )
        for name, text in unit.parameters.items():
            if self._parameters.get(name) != text:
                resource.parameters[name] = text
        resource.properties.update(unit.properties)
        return BundleItem(source=unit.place, control_unit=resource)

    def _overrides(self, unit: StatedUnit) -> list[AttributeOverride]:
        found = []
        for name in sorted(unit.attributes):
            override = unit.attributes[name].override(self._facets[name])
            if override is not None:
                found.append(override)
        return found


def _facets_of(attribute: Attribute) -> Mapping[str, str]:
    return {field.name: value for field, value in attribute.ListFields() if field.name in SPELLINGS}


def _own_drivers(own: Sequence[Driver], shared: Sequence[Driver]) -> list[Driver]:
    """What a unit says of its drivers itself: nothing, if the template's are all it uses."""
    if not shared or list(own) == list(shared):
        return [] if shared else list(own)
    return [_difference(driver, common) for driver, common in zip(own, shared, strict=True)]


def _difference(driver: Driver, common: Driver) -> Driver:
    """The name, and what the template's driver of that name does not say."""
    own = Driver(name=driver.name)
    if driver.version != common.version:
        own.version = driver.version
    if driver.init_parameter != common.init_parameter:
        own.init_parameter = driver.init_parameter
    if driver.properties != common.properties:
        own.properties.update(driver.properties)
    return own
