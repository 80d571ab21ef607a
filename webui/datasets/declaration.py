"""What people declare of a unit as a form has it: a text for each field, by its path.

Paths are the contract's (`overrides[current].maximum`, `parameters[ramp]`, `description`), save
that all labels are one field.
"""

import re
from collections.abc import Iterable, Mapping

from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import AttributeOverride

from webui.datasets.problem import Problem, without_field

LABELS = "labels"
FACETS = tuple(
    field.name for field in AttributeOverride.DESCRIPTOR.fields if field.name != "attribute"
)
"""What a unit may change of an attribute, the value it starts with among them."""

# Names of attributes may have brackets of their own: `range_slit[mm]`.
_OVERRIDE = re.compile(rf"overrides\[(.+)\]\.({'|'.join(FACETS)})\Z")
_PARAMETER = re.compile(r"parameters\[(.+)\]\Z")


def override_path(attribute: str, facet: str) -> str:
    return f"overrides[{attribute}].{facet}"


def parameter_path(name: str) -> str:
    return f"parameters[{name}]"


def is_field(path: str) -> bool:
    """Whether a form may change it."""
    plain = path in ("description", LABELS)
    return plain or bool(_OVERRIDE.match(path) or _PARAMETER.match(path))


def words_of(path: str) -> str:
    """A path as people call it: `current, maximum`."""
    if found := _OVERRIDE.match(path):
        facet = "" if found[2] == "default_value" else f", {found[2].replace('_', ' ')}"
        return f"{found[1]}{facet}"
    found = _PARAMETER.match(path)
    return found[1] if found else path


def fields_of(unit: ControlUnit) -> dict[str, str]:
    """All fields that are set."""
    fields = {
        override_path(attribute, facet): text
        for attribute, facets in _overrides(unit).items()
        for facet, text in facets.items()
    }
    fields |= {parameter_path(name): value for name, value in unit.parameters.items()}
    if unit.description:
        fields["description"] = unit.description
    if unit.labels:
        fields[LABELS] = "\n".join(f"{name}={unit.labels[name]}" for name in sorted(unit.labels))
    return fields


def changed_fields(before: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """Those that were typed and differ from what was there; an empty text: not set."""
    return {path: text for path, text in typed.items() if text != before.get(path, "")}


def declare(unit: ControlUnit, changed: Mapping[str, str]) -> list[str]:
    """Changes fields of a declaration; an empty text takes the field away.

    Returns:
        the update mask.
    """
    overrides = _overrides(unit)
    for path, text in changed.items():
        if found := _OVERRIDE.match(path):
            facets = overrides.setdefault(found[1], {})
            facets.pop(found[2], None)
            facets |= {found[2]: text} if text else {}
        elif found := _PARAMETER.match(path):
            unit.parameters.pop(found[1], None)
            unit.parameters.update({found[1]: text} if text else {})
        elif path == LABELS:
            unit.labels.clear()
            unit.labels.update(_labels(text))
        else:
            unit.description = text
    del unit.overrides[:]
    for attribute in sorted(attribute for attribute, facets in overrides.items() if facets):
        unit.overrides.append(AttributeOverride(attribute=attribute, **overrides[attribute]))
    return sorted({re.split(r"[\[.]", path)[0] for path in changed})


def _overrides(unit: ControlUnit) -> dict[str, dict[str, str]]:
    """What is set of each attribute, by facet."""
    return {
        override.attribute: {
            field.name: value for field, value in override.ListFields() if field.name in FACETS
        }
        for override in unit.overrides
    }


def _labels(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        if line.strip():
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def problem_of(field: str, description: str, unit: ControlUnit) -> Problem:
    """A violation as the form has it; `field` counts overrides as they were sent."""
    found = re.match(r"overrides\[(\d+)\](?:\.(\w+))?", field)
    message = without_field(field, description)
    if found and int(found[1]) < len(unit.overrides):
        attribute = unit.overrides[int(found[1])].attribute
        facet = found[2] if found[2] in FACETS else "default_value"
        return Problem(override_path(attribute, facet), message)
    path = LABELS if field.startswith(f"{LABELS}[") else field
    return Problem(path, message) if is_field(path) else Problem("", description)
