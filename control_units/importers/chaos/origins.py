"""Where in a file the fields of units stand, for problems that only a server can see."""

import re
from collections.abc import Iterable

from mds.v1.bundle_pb2 import BundleItem

from control_units.importers.chaos.attributes import SPELLINGS
from control_units.importers.chaos.parameters import KNOWN
from control_units.importers.chaos.units import StatedUnit
from control_units.importers.places import element, member

_FIELD = re.compile(
    r"(?P<field>[a-z_]+)(?:\[(?:(?P<index>\d+)|(?P<key>[^]]*))\])?(?:\.(?P<inner>[a-z_]+))?"
)


class Origins:
    """The entries that control units and execution units were read from."""

    def __init__(self) -> None:
        self._units: dict[str, StatedUnit] = {}

    def add(self, units: Iterable[StatedUnit]) -> None:
        self._units.update({unit.place: unit for unit in units})

    def place_of(self, item: BundleItem, field: str) -> str:
        """The place of a resource's field; of its entry, where the file has no such field."""
        unit = self._units.get(item.source)
        match = _FIELD.match(field)
        if unit is None or match is None:
            return item.source
        if match["field"] == "overrides" and match["index"]:
            return _override(item, unit, int(match["index"]), match["inner"] or "")
        if match["field"] == "drivers":
            place = unit.drivers_place
            return element(place, int(match["index"])) if match["index"] else place
        if match["field"] == "parameters" and match["key"] in KNOWN:
            return unit.entry.place_of(*KNOWN[match["key"]].spellings)
        if match["field"] == "properties" and match["key"]:
            return member(item.source, match["key"])
        return unit.implementation_place if match["field"] == "template" else item.source


def _override(item: BundleItem, unit: StatedUnit, index: int, facet: str) -> str:
    resource = getattr(item, item.WhichOneof("resource") or "")
    stated = unit.attributes.get(resource.overrides[index].attribute)
    if stated is None:
        return item.source
    return stated.place_of(facet) if facet in SPELLINGS else stated.place
