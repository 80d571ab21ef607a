"""Templates out of the units of each class and the catalogue.

One rule decides what goes into a template: it changes nothing for any unit of the file. So a
value goes there when every unit of the class states that field (then the most frequent one,
and units that differ override it), and a value of the catalogue when the file has no unit of
that class. What one unit alone states is not taken for the class.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mds.v1.dataset_pb2 import Attribute, Direction, ValueType
from mds.v1.driver_pb2 import Driver
from mds.v1.parameter_pb2 import Parameter
from mds.v1.template_pb2 import Template

from control_units.importers.chaos.attributes import SPELLINGS, StatedAttribute
from control_units.importers.chaos.catalogue import CatalogueClass
from control_units.importers.chaos.parameters import KNOWN
from control_units.importers.chaos.units import StatedUnit


def template_id(implementation: str) -> str:
    """The id of a class's template."""
    return implementation.removeprefix("::")


def build_template(id: str, units: Sequence[StatedUnit], known: CatalogueClass | None) -> Template:
    """The template of one class."""
    shared = _shared_drivers(units)
    template = Template(
        name=f"templates/{id}",
        implementation=_implementation(units, known),
        drivers=shared,
        alternative_drivers=_alternatives(units, known, {d.name for d in shared}),
        parameters=_parameters(units),
        attributes=_attributes(units, known),
    )
    if known is not None:
        template.description = known.description
        template.group = known.group
        template.interface = known.interface
        template.properties.update(known.properties(is_used=bool(units)))
    return template


def most_frequent(texts: Iterable[str]) -> str:
    """The most frequent text, of equally frequent ones the smallest."""
    return min(Counter(texts).items(), key=lambda pair: (-pair[1], pair[0]))[0]


def _implementation(units: Sequence[StatedUnit], known: CatalogueClass | None) -> str:
    if units:
        return most_frequent(unit.implementation for unit in units)
    return known.implementation if known is not None else ""


def _shared(stated: Sequence[str | None]) -> str | None:
    """What a template can say of a field, given what each unit states; None: nothing."""
    texts = [text for text in stated if text is not None]
    return most_frequent(texts) if len(texts) == len(stated) > 1 else None


def _parameters(units: Sequence[StatedUnit]) -> list[Parameter]:
    declared = []
    for name, known in KNOWN.items():
        stated = [unit.parameters.get(name) for unit in units]
        if all(text is None for text in stated):
            continue
        parameter = known.declare(name)
        default = _shared(stated)
        if default is not None:
            parameter.default_value = default
        declared.append(parameter)
    return declared


def _attributes(units: Sequence[StatedUnit], known: CatalogueClass | None) -> list[Attribute]:
    in_catalogue: Mapping[str, StatedAttribute] = known.attributes if known else {}
    names = {name for unit in units for name in unit.attributes} | set(in_catalogue)
    found = []
    for name in sorted(names):
        stated = [unit.attributes[name] for unit in units if name in unit.attributes]
        described = [*stated, *([in_catalogue[name]] if name in in_catalogue else [])]
        attribute = Attribute(
            name=name,
            description=next((s.description for s in described if s.description), ""),
            direction=next((s.direction for s in described if s.direction), _NO_DIRECTION),
            type=next((s.type for s in described if s.type), _NO_TYPE),
        )
        for facet in SPELLINGS:
            if units:
                everyone = [_facet_of(unit, name, facet) for unit in units]
                text = _shared(everyone)
            else:
                text = in_catalogue[name].facets.get(facet)
            if text is not None:
                setattr(attribute, facet, text)
        found.append(attribute)
    return found


_NO_DIRECTION = Direction.DIRECTION_UNSPECIFIED
_NO_TYPE = ValueType.VALUE_TYPE_UNSPECIFIED


def _facet_of(unit: StatedUnit, attribute: str, facet: str) -> str | None:
    stated = unit.attributes.get(attribute)
    return stated.facets.get(facet) if stated else None


def _shared_drivers(units: Sequence[StatedUnit]) -> list[Driver]:
    """The drivers of all units, where all use the same ones in the same order; with the
    version, init parameter and properties that are the same everywhere. A unit completes what
    is empty in its own drivers from these, so nothing that differs may stand here."""
    if len(units) < 2:
        return []
    names = [driver.name for driver in units[0].drivers]
    if len(set(names)) < len(names):
        return []
    if any([driver.name for driver in unit.drivers] != names for unit in units):
        return []
    return [_common([unit.drivers[i] for unit in units]) for i in range(len(names))]


def _common(drivers: Sequence[Driver]) -> Driver:
    first = drivers[0]
    common = Driver(name=first.name)
    if all(driver.version == first.version for driver in drivers):
        common.version = first.version
    if all(driver.init_parameter == first.init_parameter for driver in drivers):
        common.init_parameter = first.init_parameter
    if all(driver.properties == first.properties for driver in drivers):
        common.properties.update(first.properties)
    return common


def _alternatives(
    units: Sequence[StatedUnit], known: CatalogueClass | None, shared: set[str]
) -> list[Driver]:
    """Drivers that a unit may name besides the shared ones: those of other units, and those of
    the catalogue, with its words where no unit says its own."""
    used: dict[str, list[Driver]] = {}
    for unit in units:
        for driver in unit.drivers:
            used.setdefault(driver.name, []).append(driver)
    found = {name: _common(drivers) for name, drivers in used.items()}
    for driver in known.drivers if known else ():
        found.setdefault(driver.name, driver)
    return [found[name] for name in sorted(found) if name not in shared]
