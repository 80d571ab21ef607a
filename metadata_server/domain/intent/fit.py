"""Whether a control unit fits its template, and the dataset that its code published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Parameter,
)
from metadata_server.domain.intent.configuration import offered_drivers, told
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facets import Slot, facet_faults
from metadata_server.domain.intent.requirement import requirement_misfits
from metadata_server.domain.intent.template import Template
from metadata_server.domain.refused import WrongField

FITTED = ("template", "template_version", "overrides", "drivers", "parameters")
"""Fields of a unit on which it depends whether it fits."""


def may_fit_less(before: ControlUnit | None, after: ControlUnit) -> bool:
    """Whether a change may have brought a misfit. One that was there before, because its code has
    published another dataset since, is in nobody's way who starts or stops the unit."""
    return before is None or any(getattr(before, each) != getattr(after, each) for each in FITTED)


def unit_misfits(
    unit: ControlUnit, template: Template, dataset: Sequence[Attribute] | None
) -> Iterator[WrongField]:
    """All in which a unit does not fit its template and the dataset that its code published."""
    yield from override_misfits(unit.overrides, template, dataset or ())
    yield from driver_misfits(unit, template)
    yield from parameter_misfits(unit, template)
    yield from requirement_misfits(unit, template)


def override_misfits(
    overrides: Sequence[AttributeOverride], template: Template, dataset: Sequence[Attribute]
) -> Iterator[WrongField]:
    """A template that names no attribute, of which nothing was published, knows none: there
    an override may name any."""
    if not overrides:
        return
    declared = {each.name: each for each in template.attributes}
    published = {each.name: each for each in dataset}
    for position, override in enumerate(overrides):
        path = f"overrides[{position}]"
        name = override.attribute
        attribute = declared.get(name, Attribute(name))
        if name in published:
            attribute = told(published[name], declared.get(name))
        elif (declared or published) and name not in declared:
            expected = f"an attribute of {template.name} or of its published dataset"
            yield WrongField(f"{path}.attribute", name, expected, "NOT_IN_TEMPLATE")
            continue
        if attribute.direction is Direction.OUTPUT:
            expected = "an input or bidirectional attribute; this one is an output"
            yield WrongField(f"{path}.attribute", name, expected, "OVERRIDE_OF_OUTPUT")
            continue
        slot = Slot(name, attribute.type, attribute.shape, attribute.maximum_size_bytes)
        facets = {**attribute.facets, **override.facets}
        yield from facet_faults(slot, facets, path=path, said=override.facets)


def driver_misfits(unit: ControlUnit, template: Template) -> Iterator[WrongField]:
    offered = sorted({each.name for each in offered_drivers(template)})
    for position, driver in enumerate(unit.drivers):
        if driver.name not in offered:
            expected = f"a driver of {template.name}: {', '.join(offered) or 'it has none'}"
            yield WrongField(f"drivers[{position}].name", driver.name, expected, "NOT_IN_TEMPLATE")


def parameter_misfits(unit: ControlUnit, template: Template) -> Iterator[WrongField]:
    known = {each.name: each for each in template.parameters}
    for name, text in unit.parameters.items():
        parameter = known.get(name)
        if parameter is None:
            expected = f"absent; {template.name} has {', '.join(sorted(known)) or 'no parameters'}"
            yield WrongField(f"parameters[{name}]", text, expected, "NOT_IN_TEMPLATE")
        else:
            yield from value_misfits(parameter, text)
    for name, parameter in known.items():
        absent = name not in unit.parameters and "default_value" not in parameter.facets
        if parameter.required and absent:
            yield WrongField(f"parameters[{name}]", "", f"a value; {template.name} requires one")


def value_misfits(parameter: Parameter, text: str) -> Iterator[WrongField]:
    said = {"default_value": text}
    facets = {**parameter.facets, **said}
    for fault in facet_faults(Slot(parameter.name, parameter.type), facets, path="", said=said):
        yield WrongField(f"parameters[{parameter.name}]", text, fault.expected, fault.reason)
