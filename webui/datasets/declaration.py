"""What people declare of a unit as a form has it: a text for each field, by its path.

Paths are the contract's (`overrides[current].maximum`, `parameters[ramp]`, `description`), save
that all labels are one field. An own value that is an empty text has a field of its own,
`overrides[interlock].default_value.empty`: an empty text there means *not set here*.
"""

import re
from collections.abc import Mapping

from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import AttributeOverride

from webui.datasets.plain import Plain
from webui.datasets.problem import Problem, without_field
from webui.datasets.slots import (
    DRIVERS,
    declare_slots,
    slot_fields,
    slot_problem,
    words_of_slot,
)
from webui.translation import _

FACETS = tuple(
    field.name for field in AttributeOverride.DESCRIPTOR.fields if field.name != "attribute"
)
"""What a unit may change of an attribute, the value it starts with among them."""

PLAIN = Plain(
    (
        *("description", "template", "template_version", "unit_server", "desired_state"),
        *("level", "requires", "after", "labels"),
    ),
    {
        "template": "templates",
        "unit_server": "unit_servers",
        "requires": "control_units",
        "after": "control_units",
    },
)
_EMPTY, _YES = ".empty", "1"
# Names of attributes may have brackets of their own: `range_slit[mm]`.
_OVERRIDE = re.compile(rf"overrides\[(.+)\]\.({'|'.join(FACETS)})\Z")
_PARAMETER = re.compile(r"parameters\[(.+)\]\Z")


def override_path(attribute: str, facet: str) -> str:
    return f"overrides[{attribute}].{facet}"


def parameter_path(name: str) -> str:
    return f"parameters[{name}]"


def empty_path(path: str) -> str:
    """Of the field that says that a value is an empty text."""
    return path + _EMPTY


def is_field(path: str) -> bool:
    """Whether a form may change it."""
    own = path.removesuffix(_EMPTY)
    if _OVERRIDE.match(own) or _PARAMETER.match(own):
        return True
    return path in PLAIN.paths or DRIVERS.parted(path) is not None


def words_of(path: str) -> str:
    """A path as people call it: `current, maximum`."""
    if path.endswith(_EMPTY):
        return _("%(field)s, an empty text") % {"field": words_of(path.removesuffix(_EMPTY))}
    if found := _OVERRIDE.match(path):
        facet = "" if found[2] == "default_value" else f", {found[2].replace('_', ' ')}"
        return f"{found[1]}{facet}"
    if found := _PARAMETER.match(path):
        return found[1]
    return words_of_slot(path, DRIVERS) or path.replace("_", " ")


def fields_of(unit: ControlUnit) -> dict[str, str]:
    """All fields that are set."""
    values = {
        override_path(attribute, facet): text
        for attribute, facets in _overrides(unit).items()
        for facet, text in facets.items()
    }
    values |= {parameter_path(name): value for name, value in unit.parameters.items()}
    fields = {path if text else empty_path(path): text or _YES for path, text in values.items()}
    return fields | PLAIN.fields_of(unit) | slot_fields(unit, DRIVERS)


def changed_fields(before: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """Those that were typed and differ from what was there; an empty text: not set."""
    return {path: text for path, text in typed.items() if text != before.get(path, "")}


def declare(unit: ControlUnit, changed: Mapping[str, str]) -> list[str]:
    """Changes fields of a declaration; an empty text takes the field away.

    Returns:
        the update mask.

    Raises:
        Misread: a field cannot be what was typed.
    """
    said = {**fields_of(unit), **changed}
    mask = set(PLAIN.declare(unit, changed))
    if "template" in mask and "template_version" not in mask:
        # The number was of the other template.
        unit.template_version = 0
        mask.add("template_version")
    if declare_slots(unit, DRIVERS, changed):
        mask.add(DRIVERS.field)
    overrides = _overrides(unit)
    for path in sorted({path.removesuffix(_EMPTY) for path in changed}):
        text = said.get(path, "")
        is_set = bool(text or said.get(empty_path(path)))
        if found := _OVERRIDE.match(path):
            mask.add("overrides")
            facets = overrides.setdefault(found[1], {})
            facets.pop(found[2], None)
            facets |= {found[2]: text} if is_set else {}
        elif found := _PARAMETER.match(path):
            mask.add("parameters")
            unit.parameters.pop(found[1], None)
            unit.parameters.update({found[1]: text} if is_set else {})
    del unit.overrides[:]
    for attribute in sorted(attribute for attribute, facets in overrides.items() if facets):
        unit.overrides.append(AttributeOverride(attribute=attribute, **overrides[attribute]))
    return sorted(mask)


def _overrides(unit: ControlUnit) -> dict[str, dict[str, str]]:
    """What is set of each attribute, by facet."""
    return {
        override.attribute: {
            field.name: value for field, value in override.ListFields() if field.name in FACETS
        }
        for override in unit.overrides
    }


def problem_of(field: str, description: str, unit: ControlUnit) -> Problem:
    """A violation as the form has it; `field` counts overrides as they were sent."""
    found = re.match(r"overrides\[(\d+)\](?:\.(\w+))?", field)
    message = without_field(field, description)
    if found and int(found[1]) < len(unit.overrides):
        attribute = unit.overrides[int(found[1])].attribute
        facet = found[2] if found[2] in FACETS else "default_value"
        return Problem(override_path(attribute, facet), message)
    if driver := slot_problem(field, description, unit, DRIVERS):
        return driver
    path = PLAIN.path_of(field) or (field if is_field(field) else "")
    return Problem(path, message if path else description)
