"""The section `eu`: scripts that run like control units."""

from collections.abc import Iterator
from dataclasses import dataclass

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.execution_unit_pb2 import ExecutionUnit

from control_units.importers.chaos.entries import entries
from control_units.importers.chaos.seen import Seen
from control_units.importers.chaos.units import StatedUnit, read_unit
from control_units.importers.findings import Findings
from control_units.importers.json_text import Value


@dataclass(frozen=True, slots=True)
class StatedProgram:
    """An execution unit of the file.

    Attributes:
        parent: id of the agent or unit server that it says it belongs to; empty: none.
    """

    unit: StatedUnit
    parent: str


def read_execution_units(
    value: Value, place: str, seen: Seen, findings: Findings
) -> Iterator[StatedProgram]:
    """All of the section that can be taken."""
    for entry in entries(value, place, findings):
        entry.unfold("instance_description")
        parent = entry.text("ndk_parent")
        unit = read_unit(entry, "execution_units", "", findings)
        if unit is not None and seen.is_first(unit.name, unit.place):
            yield StatedProgram(unit, parent)


def execution_unit(unit: StatedUnit, host: str, properties: dict[str, str]) -> BundleItem:
    """As an item of a bundle. It has no template, so it says all of its configuration itself."""
    overrides = (unit.attributes[name].override({}) for name in sorted(unit.attributes))
    resource = ExecutionUnit(
        name=unit.name,
        description=unit.description,
        host=host,
        implementation=unit.implementation,
        desired_state=unit.desired_state,
        overrides=[override for override in overrides if override is not None],
        drivers=unit.drivers,
    )
    resource.parameters.update(unit.parameters)
    resource.properties.update(unit.properties)
    resource.properties.update(properties)
    return BundleItem(source=unit.place, execution_unit=resource)
