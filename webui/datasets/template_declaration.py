"""What people declare of a template as a form has it: a text for each field, by its path.

`attributes[current].maximum`, `parameters[ramp].default_value`, `description`. A name that is
typed into `attributes[+].name` is a new one; `attributes[current].remove` takes one away.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message
from mds.v1.dataset_pb2 import Attribute, Direction, ValueType
from mds.v1.parameter_pb2 import Parameter
from mds.v1.template_pb2 import Template

from webui.datasets.problem import Problem, without_field
from webui.translation import _

NEW = "+"
_NEW_NAME, _REMOVE = "name", "remove"
ENUMS = {
    "type": ("VALUE_TYPE_", ValueType.DESCRIPTOR.values_by_name),
    "direction": ("DIRECTION_", Direction.DESCRIPTOR.values_by_name),
}
_TEXTS = (
    "description",
    "unit",
    "default_value",
    "minimum",
    "maximum",
)
FACETS = {
    "attributes": (
        "direction",
        "type",
        *_TEXTS,
        "warning_minimum",
        "warning_maximum",
        "increment",
        "warning_threshold",
        "error_threshold",
        "offset",
        "conversion_factor",
    ),
    "parameters": ("type", *_TEXTS),
}
_PATH = re.compile(r"(attributes|parameters)\[(.+)\]\.([a-z_]+)\Z")

_BLANK: Mapping[str, Callable[..., Any]] = {"attributes": Attribute, "parameters": Parameter}


def is_field(path: str) -> bool:
    found = _PATH.match(path)
    if not found:
        return path == "description"
    return found[3] in (*FACETS[found[1]], _NEW_NAME, _REMOVE)


def words_of(path: str) -> str:
    found = _PATH.match(path)
    if not found:
        return path
    name = _("new") if found[2] == NEW else found[2]
    return name if found[3] == "default_value" else f"{name}, {found[3].replace('_', ' ')}"


def fields_of(template: Template) -> dict[str, str]:
    fields = {"description": template.description} if template.description else {}
    for slots in ("attributes", "parameters"):
        for slot in getattr(template, slots):
            fields |= {
                f"{slots}[{slot.name}].{facet}": text
                for facet in FACETS[slots]
                if (text := _text(slot, facet))
            }
    return fields


def declare(template: Template, changed: Mapping[str, str]) -> list[str]:
    """Changes fields of a template; an empty text takes the field away.

    Returns:
        the update mask.
    """
    by_slot: dict[tuple[str, str], dict[str, str]] = {}
    for path, text in changed.items():
        if found := _PATH.match(path):
            by_slot.setdefault((found[1], found[2]), {})[found[3]] = text
        else:
            template.description = text
    mask = {path for path in changed if not _PATH.match(path)}
    for slots in ("attributes", "parameters"):
        typed = {name: facets for (kind, name), facets in by_slot.items() if kind == slots}
        if typed:
            mask.add(slots)
            kept = [_typed(each, typed.get(each.name, {})) for each in getattr(template, slots)]
            new = typed.get(NEW, {})
            if new.get(_NEW_NAME):
                begun = _BLANK[slots](name=new[_NEW_NAME])
                kept.append(_typed(begun, new))
            template.ClearField("attributes" if slots == "attributes" else "parameters")
            getattr(template, slots).extend(each for each in kept if each is not None)
    return sorted(mask)


def problem_of(field: str, description: str, sent: Template) -> Problem:
    """A violation as the form has it; `field` counts attributes as they were sent."""
    found = re.match(r"(attributes|parameters)\[(\d+)\](?:\.(\w+))?", field)
    if found:
        slots = getattr(sent, found[1])
        facet = found[3] if found[3] in FACETS[found[1]] else "default_value"
        if int(found[2]) < len(slots):
            path = f"{found[1]}[{slots[int(found[2])].name}].{facet}"
            return Problem(path, without_field(field, description))
    return Problem("", description)


def _text(slot: Message, facet: str) -> str:
    value = getattr(slot, facet)
    if facet not in ENUMS:
        return str(value)
    prefix, names = ENUMS[facet]
    name = next((name for name, each in names.items() if each.number == value), "")
    return name.removeprefix(prefix) if value else ""


def _typed(slot: Any, typed: Mapping[str, str]) -> Any:
    """One attribute or parameter as it was typed; None: it is taken away."""
    if typed.get(_REMOVE):
        return None
    fields: dict[str, Any] = {field.name: value for field, value in slot.ListFields()}
    for facet, text in typed.items():
        fields.pop(facet, None)
        if facet in ENUMS:
            prefix, names = ENUMS[facet]
            if prefix + text in names:
                fields[facet] = names[prefix + text].number
        elif text and facet != _REMOVE:
            fields[facet] = text
    return type(slot)(**(fields | {"name": slot.name}))
