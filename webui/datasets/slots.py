"""Entries of a declaration that have names of their own, as a form has them: attributes,
parameters, drivers.

`drivers[LIN].version` is a field of the driver `LIN`. An entry that is new is called `+1`, `+2` …
until it has a name (`drivers[+1].name`); `drivers[LIN].remove` takes one away; where their order
matters, `drivers[LIN].place` says which comes first, and the words `drivers[LIN].up` and `.down` are
those of buttons that have the form drawn again with the entry moved.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from mds.v1.dataset_pb2 import Attribute
from mds.v1.driver_pb2 import Driver
from mds.v1.parameter_pb2 import Parameter

from webui.datasets.problem import Problem, without_field
from webui.datasets.texts import Misread, put_text, text_of
from webui.translation import _

NAME, REMOVE, PLACE = "name", "remove", "place"
_NEW = re.compile(r"\+\d{1,6}\Z")
_VALUES = ("unit", "default_value", "minimum", "maximum")


@dataclass(frozen=True, slots=True)
class Slots:
    """One list of them.

    Attributes:
        field: `attributes`.
        facets: what is said of each, besides its name.
        is_ordered: whether it matters which comes first.
    """

    field: str
    type: type[Message]
    facets: tuple[str, ...]
    is_ordered: bool = False

    def path(self, key: str, facet: str) -> str:
        return f"{self.field}[{key}].{facet}"

    def parted(self, path: str) -> tuple[str, str] | None:
        """Key and facet; None: it is no field of these."""
        found = re.fullmatch(rf"{self.field}\[(.+)\]\.([a-z_]+)", path)
        known = (*self.facets, NAME, REMOVE, *((PLACE,) if self.is_ordered else ()))
        return (found[1], found[2]) if found and found[2] in known else None


ATTRIBUTES = Slots(
    "attributes",
    Attribute,
    (
        *("direction", "type", "description", *_VALUES, "warning_minimum", "warning_maximum"),
        *("increment", "warning_threshold", "error_threshold", "offset", "conversion_factor"),
        *("shape", "maximum_size_bytes", "mime_type"),
    ),
    is_ordered=True,
)
PARAMETERS = Slots(
    "parameters", Parameter, ("type", "description", *_VALUES, "required"), is_ordered=True
)
_OF_DRIVERS = ("version", "init_parameter", "properties")
DRIVERS = Slots("drivers", Driver, _OF_DRIVERS, is_ordered=True)
ALTERNATIVES = Slots("alternative_drivers", Driver, _OF_DRIVERS, is_ordered=True)
ORDERED = (ATTRIBUTES, PARAMETERS, DRIVERS, ALTERNATIVES)
_STEPS = {"up": -1, "down": 1}


def slot_fields(resource: Message, slots: Slots) -> dict[str, str]:
    """All fields of its entries that are set."""
    fields: dict[str, str] = {}
    for place, (key, entry) in enumerate(keyed(getattr(resource, slots.field)).items(), start=1):
        for facet in slots.facets:
            if text := text_of(entry, facet):
                fields[slots.path(key, facet)] = text
        if slots.is_ordered:
            fields[slots.path(key, PLACE)] = str(place)
    return fields


def declare_slots(resource: Message, slots: Slots, changed: Mapping[str, str]) -> bool:
    """Changes entries of a declaration; whether there was anything to change.

    Raises:
        Misread: what was typed cannot be.
    """
    typed: dict[str, dict[str, str]] = {}
    for path, text in changed.items():
        if parted := slots.parted(path):
            typed.setdefault(parted[0], {})[parted[1]] = text
    entries = keyed(getattr(resource, slots.field))
    for key, facets in typed.items():
        if is_new(key) and facets.get(NAME):
            entries[key] = slots.type()
            put_text(entries[key], NAME, facets[NAME])
        for facet in slots.facets:
            if facet in facets and key in entries:
                put_into(entries[key], slots.path(key, facet), facet, facets[facet])
    asked = {key: facets.get(PLACE, "") for key, facets in typed.items()}
    ordered = _ordered(list(entries), asked, slots)
    left = [key for key in ordered if not typed.get(key, {}).get(REMOVE)]
    resource.ClearField(slots.field)
    getattr(resource, slots.field).extend(entries[key] for key in left)
    return bool(typed)


def put_into(entry: Message, path: str, facet: str, text: str) -> None:
    """Raises: Misread, with the path as the form has it."""
    try:
        put_text(entry, facet, text)
    except Misread as wrong:
        raise Misread(path, wrong.message) from None


def _ordered(keys: Sequence[str], asked: Mapping[str, str], slots: Slots) -> list[str]:
    """Whoever asks for a place gets it; who stood there, and those between, give way."""

    def rank(entry: tuple[int, str]) -> tuple[int, int, int]:
        place, key = entry
        wanted = asked.get(key, "")
        if not wanted:
            return place, 1, place
        if not re.fullmatch(r"[0-9]{1,6}", wanted):
            raise Misread(slots.path(key, PLACE), _("right would be a whole number."))
        return int(wanted), 2 if int(wanted) > place else 0, place

    return [key for _place, key in sorted(enumerate(keys, start=1), key=rank)]


def drawn_keys(resource: Message, slots: Slots, fields: Mapping[str, str]) -> list[str]:
    """Of the entries that are there, in the order that a form asks for."""
    keys = list(keyed(getattr(resource, slots.field)))
    asked = {key: fields.get(slots.path(key, PLACE), "") for key in keys}
    try:
        return _ordered(keys, _others(keys, asked), slots)
    except Misread:
        return keys


def moved(resource: object, fields: Mapping[str, str], word: str) -> Mapping[str, str]:
    """The fields of a form with an entry moved by one place, where a button's word asks for it."""
    assert isinstance(resource, Message)  # whatever is declared is one
    for slots in ORDERED:
        found = re.fullmatch(rf"{slots.field}\[(.+)\]\.(up|down)", word)
        if not found or not _has(resource, slots):
            continue
        keys = drawn_keys(resource, slots, fields)
        if found[1] not in keys:
            continue
        place = keys.index(found[1])
        keys.insert(max(0, place + _STEPS[found[2]]), keys.pop(place))
        places = {slots.path(key, PLACE): str(place) for place, key in enumerate(keys, start=1)}
        return {**fields, **places}
    return fields


def _has(resource: Message, slots: Slots) -> bool:
    """Whether a resource has just these: the parameters of a unit are others."""
    field = resource.DESCRIPTOR.fields_by_name.get(slots.field)
    return field is not None and field.message_type is slots.type.DESCRIPTOR


def _others(keys: Sequence[str], asked: Mapping[str, str]) -> Mapping[str, str]:
    """The places that are not those where entries stand anyway."""
    return {key: asked[key] for at, key in enumerate(keys, start=1) if asked[key] != str(at)}


def keyed(entries: Sequence[Any]) -> dict[str, Any]:
    """Entries by their names; the second of one name is called `LIN#2`."""
    found: dict[str, Any] = {}
    for each in entries:
        key, count = each.name, 1
        while key in found:
            count += 1
            key = f"{each.name}#{count}"
        copied = type(each)()
        copied.CopyFrom(each)
        found[key] = copied
    return found


def is_new(key: str) -> bool:
    return bool(_NEW.match(key))


def new_keys(fields: Mapping[str, str], slots: Slots) -> list[str]:
    """Of entries that somebody has begun, and of one more to begin."""
    keys = [
        parted[0]
        for path, text in fields.items()
        if text and (parted := slots.parted(path)) and is_new(parted[0])
    ]
    begun = sorted({int(key[1:]) for key in keys})
    return [f"+{number}" for number in (*begun, max(begun, default=0) + 1)]


def words_of_slot(path: str, slots: Slots) -> str:
    """`current, maximum`; the value itself goes by the name alone."""
    parted = slots.parted(path)
    if parted is None:
        return ""
    key, facet = parted
    name = _("new") if is_new(key) else key
    return name if facet == "default_value" else f"{name}, {facet.replace('_', ' ')}"


def slot_problem(field: str, description: str, sent: Message, slots: Slots) -> Problem | None:
    """A violation as the form has it; `field` counts entries as they were sent."""
    found = re.match(rf"{slots.field}\[(\d+)\](?:\.(\w+))?", field)
    keys = list(keyed(getattr(sent, slots.field)))
    if not found or int(found[1]) >= len(keys):
        return None
    usual = "default_value" if "default_value" in slots.facets else NAME
    facet = found[2] if found[2] in (*slots.facets, NAME) else usual
    return Problem(slots.path(keys[int(found[1])], facet), without_field(field, description))
