"""What people declare of a template as a form has it: a text for each field, by its path.

`attributes[current].maximum`, `parameters[ramp].default_value`, `description`; see `slots`.
"""

from collections.abc import Mapping

from mds.v1.dataset_pb2 import Direction, ValueType
from mds.v1.template_pb2 import Template

from webui.datasets.plain import Plain
from webui.datasets.problem import Problem, without_field
from webui.datasets.slots import (
    ALTERNATIVES,
    ATTRIBUTES,
    DRIVERS,
    PARAMETERS,
    declare_slots,
    slot_fields,
    slot_problem,
    words_of_slot,
)
from webui.datasets.texts import words_in

SLOTS = (ATTRIBUTES, PARAMETERS, DRIVERS, ALTERNATIVES)
PLAIN = Plain(("description", "implementation", "group", "interface", "labels"))
ENUMS = {"type": words_in(ValueType.DESCRIPTOR), "direction": words_in(Direction.DESCRIPTOR)}
"""What may be chosen of facets that are words."""


def is_field(path: str) -> bool:
    return path in PLAIN.paths or any(slots.parted(path) for slots in SLOTS)


def words_of(path: str) -> str:
    found = (words for slots in SLOTS if (words := words_of_slot(path, slots)))
    return next(found, path)


def fields_of(template: Template) -> dict[str, str]:
    """All fields that are set."""
    fields = PLAIN.fields_of(template)
    for slots in SLOTS:
        fields |= slot_fields(template, slots)
    return fields


def declare(template: Template, changed: Mapping[str, str]) -> list[str]:
    """Changes fields of a template; an empty text takes the field away.

    Returns:
        the update mask.

    Raises:
        Misread: a field cannot be what was typed.
    """
    mask = set(PLAIN.declare(template, changed))
    mask |= {slots.field for slots in SLOTS if declare_slots(template, slots, changed)}
    return sorted(mask)


def problem_of(field: str, description: str, sent: Template) -> Problem:
    """A violation as the form has it; `field` counts attributes as they were sent."""
    for slots in SLOTS:
        if problem := slot_problem(field, description, sent, slots):
            return problem
    path = PLAIN.path_of(field)
    return Problem(path, without_field(field, description) if path else description)
