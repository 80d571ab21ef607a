"""Simulated classes that fit the templates of a real facility."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from mds.v1 import control_unit_pb2, dataset_pb2, template_pb2

from control_units.attributes import Description, Direction
from control_units.configuration import description
from control_units.control_unit import ControlUnit
from control_units.simulated.beam_position_monitor import BeamPositionMonitor
from control_units.simulated.camera import Camera
from control_units.simulated.device import SimulatedDevice
from control_units.simulated.power_supply import PowerSupply
from control_units.values import ValueType

_DEVICES: tuple[tuple[re.Pattern[str], type[SimulatedDevice]], ...] = (
    (re.compile("power_?supply", re.IGNORECASE), PowerSupply),
    (re.compile("camera", re.IGNORECASE), Camera),
    (re.compile("libera|bpm|beam_?position", re.IGNORECASE), BeamPositionMonitor),
)
_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def device_for(implementation: str) -> type[SimulatedDevice]:
    """The simulated device that a class's name speaks of; one without behaviour otherwise."""
    found = (device for pattern, device in _DEVICES if pattern.search(implementation))
    return next(found, SimulatedDevice)


def fitted_class(
    versions: Sequence[template_pb2.Template], units: Iterable[control_unit_pb2.ControlUnit]
) -> type[ControlUnit]:
    """A class for a template: the simulated device of its name, with the template's attributes
    besides its own.

    What the template does not know of an attribute is the device's own, or guessed from the
    texts that the template and its units give it.

    Args:
        versions: those in use, the newest last; one class serves them all.
    """
    implementation = versions[-1].implementation
    device = device_for(implementation)
    declared = {each.name: each for version in versions for each in version.attributes}
    texts = _texts(declared.values(), units)
    dataset = dict(device.dataset)
    for name, attribute in declared.items():
        dataset[name] = _fitted(description(attribute), device.dataset.get(name), texts[name])
    made = cast(
        "type[SimulatedDevice]",
        types.new_class(
            implementation.rpartition("::")[2] or "Simulated",
            (device,),
            {"implementation": implementation},
        ),
    )
    made.dataset = dict(sorted(dataset.items()))
    return made


def _fitted(told: Description, own: Description | None, texts: list[str]) -> Description:
    """An attribute as the class publishes it. The template narrows inputs by itself; what it
    says of an output is the class's own word, or it would be lost."""
    known = own or replace(told, direction=told.direction or Direction.INPUT, facets={})
    direction = told.direction or known.direction
    type, shape = known.type, known.shape
    if told.type is not ValueType.UNSPECIFIED:
        type, shape = told.type, told.shape
    elif not all(_fits(text, known) for text in texts) or type is ValueType.UNSPECIFIED:
        type = guessed_type(texts)
    is_as_known = (type, shape) == (known.type, known.shape)
    facets = known.facets if is_as_known else {}
    return replace(
        known,
        direction=direction,
        type=type,
        shape=shape,
        description=told.description or known.description,
        facets={**facets, **told.facets} if direction is Direction.OUTPUT else facets,
        maximum_size_bytes=told.maximum_size_bytes or known.maximum_size_bytes,
    )


def _fits(text: str, described: Description) -> bool:
    try:
        replace(described, facets={"default_value": text}).default()
    except (TypeError, ValueError):
        return False
    return True


def _texts(
    declared: Iterable[dataset_pb2.Attribute], units: Iterable[control_unit_pb2.ControlUnit]
) -> Mapping[str, list[str]]:
    """What is said of the values of each attribute, without what is empty."""
    found: dict[str, list[str]] = {}
    for attribute in declared:
        found[attribute.name] = _said(attribute)
    for unit in units:
        for override in unit.overrides:
            if override.attribute in found:
                found[override.attribute] += _said(override)
    return found


def _said(of: dataset_pb2.Attribute | dataset_pb2.AttributeOverride) -> list[str]:
    return [text for text in (of.default_value, of.minimum, of.maximum) if text]


def guessed_type(texts: Iterable[str]) -> ValueType:
    """The narrowest type that holds all texts and what people would write next: numbers are
    DOUBLE unless somebody wrote one in hexadecimal; nothing at all may become any text."""
    texts = list(texts)
    if not texts:
        return ValueType.STRING
    if all(text in {"true", "false"} for text in texts):
        return ValueType.BOOL
    is_whole = all(_HEXADECIMAL.fullmatch(text) or text.isdecimal() for text in texts)
    if is_whole and any(_HEXADECIMAL.fullmatch(text) for text in texts):
        largest = max(int(text, 16 if "x" in text.lower() else 10) for text in texts)
        return ValueType.INT64 if largest < 1 << 63 else ValueType.UINT64
    if all(_NUMBER.fullmatch(text) or _HEXADECIMAL.fullmatch(text) for text in texts):
        return ValueType.DOUBLE
    return ValueType.STRING
