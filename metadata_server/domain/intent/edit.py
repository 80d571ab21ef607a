"""Changes of single fields of control units, by the paths that differences are told by."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from metadata_server.domain.intent.attribute import FACETS
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.state import DESIRABLE, State
from metadata_server.domain.names import Kind, id_fault
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.tree import Tree, resource_of, tree_of


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSelection:
    """Which control units: those that pass everything that is set.

    Attributes:
        ids: these and those of `id_prefixes`; none of both: all that pass the rest.
        zone: first segment of their ids.
        labels: that they have, with these values.
        state: that they last reported; UNSPECIFIED: any.
        id_prefixes: that ids begin with, besides `ids`.
        desired_states: what people want them to be, one of these; none: any.
        unit_list: id of a list that they are on, as it is when this is worked out.
        filter: that they pass then, as people write it.
    """

    ids: tuple[str, ...] = ()
    id_prefix: str = ""
    zone: str = ""
    template: str = ""
    unit_server: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    state: State = State.UNSPECIFIED
    id_prefixes: tuple[str, ...] = ()
    desired_states: frozenset[State] = frozenset()
    unit_list: str = ""
    filter: str = ""


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """A change of one field; `value` None: it is cleared."""

    path: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """An edit that has been understood.

    Attributes:
        keys: the way to the field in the tree of a unit.
        value: what is put there; None: nothing.
    """

    keys: tuple[str, ...]
    value: Tree | str | None


RECOVER = ("recover_count",)
ONE_MORE = "+1"
"""The only value of `RECOVER`: units count the orders that they have carried out, so that a
count that is set or cleared would be taken for another order, or for none."""


class CannotRead(ValueError):
    """A value that its field cannot have; the text says what would be right."""


Read = Callable[[str], Tree | str]
"""Reads the value of a field."""


def as_text(value: str) -> str:
    return value


def as_unit_server(value: str) -> str:
    id = value.removeprefix(f"{Kind.UNIT_SERVER.collection}/")
    fault = id_fault(id)
    if fault is not None:
        raise CannotRead(f"unit_servers/{{id}} with {fault}")
    return id


def as_desired_state(value: str) -> str:
    if value not in DESIRABLE:
        raise CannotRead(f"one of {', '.join(state for state in State if state in DESIRABLE)}")
    return value


def as_version(value: str) -> str:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise CannotRead("the number of a version")
    return str(int(value))


def as_one_more(value: str) -> str:
    if value != ONE_MORE:
        raise CannotRead(f"{ONE_MORE}, for one more order to recover")
    return value


def as_level(value: str) -> str:
    if not LEVEL.match(value):
        raise CannotRead("a whole number of at most 9 digits")
    return str(int(value))


def as_dependencies(value: str) -> str:
    """Ids and groups as a difference tells them; their spelling is checked with the unit."""
    collection = f"{Kind.CONTROL_UNIT.collection}/"
    found = [each.strip().removeprefix(collection) for each in value.split(",")]
    if not all(found):
        raise CannotRead("ids of units and groups (RING/MAG/) with commas between them")
    return json.dumps(found)


def as_override(value: str) -> Tree:
    return texts_of(value, FACETS)


def as_driver(value: str) -> Tree:
    found = object_of(value)
    properties = found.pop("properties", {})
    tree: Tree = dict(checked_texts(found, ("version", "init_parameter", "properties")))
    if not isinstance(properties, dict):
        raise CannotRead("properties as a JSON object of texts")
    if properties:
        tree["properties"] = dict(checked_texts(properties))
    return tree


def texts_of(value: str, allowed: Sequence[str]) -> Tree:
    return dict(checked_texts(object_of(value), allowed))


def object_of(value: str) -> dict[str, object]:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CannotRead("a JSON object, or one of its fields by its own path")
    return found


def checked_texts(found: Mapping[str, object], allowed: Sequence[str] = ()) -> Mapping[str, str]:
    """The members of a JSON object, all of them texts: a number would lose its spelling."""
    for name, text in found.items():
        if allowed and name not in allowed:
            raise CannotRead(f"a JSON object with some of {', '.join(allowed)}; {name} is none")
        if not isinstance(text, str):
            raise CannotRead(f"a JSON object of texts; {name} is none (put it in quotes)")
    return {name: str(text) for name, text in found.items()}


LEVEL = re.compile(r"[+-]?[0-9]{1,9}\Z")
NAME = r"\[(?P<name>.+)\]"
PATTERNS: tuple[tuple[str, re.Pattern[str], Read], ...] = (
    *(
        (f"overrides[…].{facet}", re.compile(rf"(overrides){NAME}\.({facet})\Z"), as_text)
        for facet in FACETS
    ),
    ("overrides[…]", re.compile(rf"(overrides){NAME}\Z"), as_override),
    (
        "drivers[…].properties[…]",
        re.compile(rf"(drivers){NAME}\.(properties)\[(.+)\]\Z"),
        as_text,
    ),
    ("drivers[…].version", re.compile(rf"(drivers){NAME}\.(version)\Z"), as_text),
    ("drivers[…].init_parameter", re.compile(rf"(drivers){NAME}\.(init_parameter)\Z"), as_text),
    ("drivers[…]", re.compile(rf"(drivers){NAME}\Z"), as_driver),
    ("parameters[…]", re.compile(rf"(parameters){NAME}\Z"), as_text),
    ("labels[…]", re.compile(rf"(labels){NAME}\Z"), as_text),
    ("properties[…]", re.compile(rf"(properties){NAME}\Z"), as_text),
    ("description", re.compile(r"(description)\Z"), as_text),
    ("unit_server", re.compile(r"(unit_server)\Z"), as_unit_server),
    ("desired_state", re.compile(r"(desired_state)\Z"), as_desired_state),
    ("level", re.compile(r"(level)\Z"), as_level),
    ("requires", re.compile(r"(requires)\Z"), as_dependencies),
    ("after", re.compile(r"(after)\Z"), as_dependencies),
    ("template_version", re.compile(r"(template_version)\Z"), as_version),
    ("recover_count", re.compile(r"(recover_count)\Z"), as_one_more),
)
"""What can be edited: how it is shown, how its path reads, and what its value must be. Those
that say more come first, because a name may hold brackets itself."""

WHOLE = frozenset({"overrides", "drivers", "parameters", "labels", "properties"})
"""What can be cleared as a whole."""


def steps_of(edits: Sequence[FieldEdit]) -> tuple[Step, ...]:
    """The edits, understood.

    Raises:
        Refused: INVALID_FIELD, with everything that is wrong with them.
    """
    if not edits:
        raise Refused.wrong_fields([WrongField("edits", "", "at least one edit")])
    steps: list[Step] = []
    faults: list[WrongField] = []
    for position, edit in enumerate(edits):
        found = step_of(edit, f"edits[{position}]")
        if isinstance(found, Step):
            steps.append(found)
        else:
            faults.append(found)
    if faults:
        raise Refused.wrong_fields(faults)
    return tuple(steps)


def step_of(edit: FieldEdit, where: str) -> Step | WrongField:
    if edit.path in WHOLE and edit.value is None:
        return Step((edit.path,), None)
    for _, pattern, read in PATTERNS:
        match = pattern.match(edit.path)
        if match is None:
            continue
        if edit.value is None and match.groups() != RECOVER:
            return Step(match.groups(), None)
        try:
            return Step(match.groups(), read(edit.value or ""))
        except CannotRead as fault:
            return WrongField(f"{where}.value", edit.value or "", str(fault), subject=edit.path)
    return WrongField(f"{where}.path", edit.path, expected_path(edit.path))


def keys_of(path: str) -> tuple[str, ...]:
    """The way to the field that a path is of, whatever its value is to be; empty: it is of none."""
    if path in WHOLE:
        return (path,)
    matches = (pattern.match(path) for _, pattern, _ in PATTERNS)
    return next((match.groups() for match in matches if match is not None), ())


def expected_path(path: str) -> str:
    """What would be right instead of a path: the closest that there is, or all."""
    shown = [form for form, _, _ in PATTERNS]
    names = re.findall(r"\[([^\]]*)\]", path)
    form = re.sub(r"\[[^\]]*\]", "[…]", path)
    close = get_close_matches(form, shown, n=1, cutoff=0.7)
    if not close:
        return f"one of {', '.join(dict.fromkeys(shown))}"
    for name in names:
        close[0] = close[0].replace("…", name, 1)
    return close[0].replace("…", "name")


def edited(unit: ControlUnit, steps: Iterable[Step]) -> ControlUnit:
    """A unit as it is after all steps; values keep their spelling."""
    tree = tree_of(unit)
    for step in steps:
        if step.value is None:
            clear(tree, step.keys)
        elif step.keys == RECOVER:
            put(tree, RECOVER, str(unit.recover_count + 1))
        else:
            put(tree, step.keys, step.value)
    overrides = tree.get("overrides", {})
    if isinstance(overrides, dict):
        tree["overrides"] = {name: overrides[name] for name in sorted(overrides) if overrides[name]}
    return resource_of(ControlUnit, tree, id=unit.id, meta=unit.meta)


def put(tree: Tree, keys: Sequence[str], value: Tree | str) -> None:
    """Sets a field. The second driver of a name stays the second of that name."""
    for key in keys[:-1]:
        inner = tree.setdefault(key, {})
        assert isinstance(inner, dict)
        tree = inner
    former = tree.get(keys[-1])
    own = {"name": former["name"]} if isinstance(former, dict) and "name" in former else {}
    tree[keys[-1]] = value if isinstance(value, str) else {**own, **value}


def clear(tree: Tree, keys: Sequence[str]) -> None:
    """Takes a field away, if it is there; what holds it stays."""
    for key in keys[:-1]:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.pop(keys[-1], None)
