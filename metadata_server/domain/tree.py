"""Resources as trees of names and texts, so that two of them can be compared, merged and edited
field by field.

A node is a dict, by name; what a list holds is found by what it is called, not by where it
stands (`overrides` → `current` → `maximum`). Where a list has a name twice, as drivers may, the
second is called by a number (`Serial#2`) and holds its name itself. A leaf is a text; lists of
other things are leaves of JSON. What has its default is not in the tree.
"""

from __future__ import annotations

import json
import types
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from metadata_server.domain.intent.attribute import (
    FACETS,
    Attribute,
    AttributeOverride,
    Driver,
    Parameter,
)
from metadata_server.domain.intent.facility import SavedUnit, SavedValue
from metadata_server.domain.intent.template import Command, VersionMark
from metadata_server.domain.resource import Meta, Resource

Tree = dict[str, "Tree | str"]
T = TypeVar("T")
R = TypeVar("R", bound=Resource)

NAMED_BY: dict[type[Any], str] = {
    Attribute: "name",
    AttributeOverride: "attribute",
    Command: "name",
    Driver: "name",
    Parameter: "name",
    SavedUnit: "control_unit",
    SavedValue: "attribute",
    VersionMark: "version",
}
"""What the elements of a list are called by."""

NOT_CONTENT = frozenset({"id", "meta"})


@dataclass(frozen=True, slots=True)
class Shape:
    """How one field of a dataclass lies in a tree.

    Attributes:
        type: of the value, or of the elements of a list.
        named_by: field that elements of a list are called by; empty: it is no such list.
        is_facets: its texts lie beside the other fields of its owner.
    """

    name: str
    type: Any
    named_by: str = ""
    is_list: bool = False
    is_map: bool = False
    is_facets: bool = False


def tree_of(resource: Resource) -> Tree:
    """The content of a resource."""
    return branch_of(resource, without=NOT_CONTENT)


def branch_of(value: Any, *, without: frozenset[str] | set[str] = frozenset()) -> Tree:
    """A dataclass as a tree, without the fields that have their defaults."""
    found: Tree = {}
    for each, shape in zip(fields(value), shapes_of(type(value)), strict=True):
        inner = getattr(value, each.name)
        if each.name in without or inner == default_of(each):
            continue
        if shape.is_facets:
            found |= dict(sorted(inner.items()))
        elif shape.is_map:
            found[each.name] = {name: str(inner[name]) for name in sorted(inner)}
        elif shape.named_by:
            found[each.name] = branches_of(inner, shape.named_by)
        elif is_dataclass(inner):
            found[each.name] = branch_of(inner)
        else:
            found[each.name] = leaf_of(inner)
    return found


def branches_of(items: Iterable[Any], named_by: str) -> Tree:
    """What a list holds, each as a tree by what it is called."""
    items = list(items)
    names = [str(getattr(item, named_by)) for item in items]
    return {
        label: branch_of(item, without={named_by} if label == name else frozenset())
        for item, name, label in zip(items, names, labels(names), strict=True)
    }


def labels(names: Sequence[str]) -> Sequence[str]:
    """What things in a list are called in paths: by name, and from the second of a name on by a
    number, with which nothing else is called."""
    taken = set(names)
    if len(taken) == len(names):
        return names
    counts: Counter[str] = Counter()
    found = []
    for name in names:
        counts[name] += 1
        label = name
        while counts[name] > 1 and label in taken:
            label = f"{name}#{counts[name]}"
            counts[name] += label in taken
        taken.add(label)
        found.append(label)
    return found


def has_twins(branch: Tree, path: str) -> bool:
    """Whether a branch has a name twice: what is found in it by a number may be another when one
    of them has gone."""
    return is_by_name(path) and any(isinstance(e, dict) and "name" in e for e in branch.values())


def leaf_of(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    return json.dumps(value, default=plain_of, ensure_ascii=False, sort_keys=True)


def plain_of(value: Any) -> Any:
    """What JSON has no word for: dataclasses in lists."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def resource_of(type_: type[R], tree: Tree, *, id: str, meta: Meta) -> R:
    """The resource of a tree.

    Raises:
        ValueError: a leaf cannot be what its field wants; the text names it.
    """
    return built(type_, tree, {"id": id, "meta": meta})


def built(type_: type[T], tree: Tree, given: Mapping[str, Any]) -> T:
    """A dataclass of a tree; `given` are fields that do not come from it."""
    values = dict(given)
    known = {shape.name: shape for shape in shapes_of(type_)}
    facets: dict[str, str] = {}
    for name, inner in tree.items():
        shape = known.get(name)
        if shape is None or shape.is_facets:
            if "facets" not in known or name not in FACETS or not isinstance(inner, str):
                raise ValueError(f"{name} is no field of a {type_.__name__}")
            facets[name] = inner
        else:
            values[name] = value_of(shape, inner)
    if facets:
        values["facets"] = facets
    return type_(**values)


def value_of(shape: Shape, inner: Tree | str) -> Any:
    if isinstance(inner, str):
        return read_leaf(shape, inner)
    if shape.is_map:
        return dict(inner)
    if shape.named_by:
        return tuple(
            element(shape, name, item if isinstance(item, dict) else {})
            for name, item in inner.items()
        )
    return built(shape.type, inner, {})


def element(shape: Shape, label: str, tree: Tree) -> Any:
    """What stands in a list under a label: one of that name, unless it says its name itself."""
    given = {} if shape.named_by in tree else {shape.named_by: called(shape, label)}
    return built(shape.type, tree, given)


def called(shape: Shape, name: str) -> Any:
    """A name as the elements of a list hold it: versions are called by their numbers."""
    (by,) = (each for each in shapes_of(shape.type) if each.name == shape.named_by)
    return by.type(name)


def read_leaf(shape: Shape, text: str) -> Any:
    """The value of a leaf.

    Raises:
        ValueError: it is none of its type.
    """
    if not shape.is_list and issubclass(shape.type, str):
        word: str = shape.type(text)
        return word
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(f"{shape.name} is {text[:80]!r}, which is no {named(shape)}") from None
    if shape.is_list and isinstance(found, list):
        return tuple(
            built(shape.type, each, {}) if isinstance(each, dict) else shape.type(each)
            for each in found
        )
    if (
        shape.is_list
        or not isinstance(found, shape.type)
        or isinstance(found, bool) is not (shape.type is bool)
    ):
        raise ValueError(f"{shape.name} is {text[:80]!r}, which is no {named(shape)}")
    return found


def named(shape: Shape) -> str:
    words = {int: "whole number", bool: "true or false"}
    return words.get(shape.type) or str(shape.type.__name__)


def shapes_of(type_: type[Any]) -> tuple[Shape, ...]:
    """How the fields of a dataclass lie in its tree, in their order."""
    if type_ not in known_shapes:
        hints = get_type_hints(type_)
        known_shapes[type_] = tuple(shape_of(each.name, hints[each.name]) for each in fields(type_))
    return known_shapes[type_]


known_shapes: dict[type[Any], tuple[Shape, ...]] = {}


def shape_of(name: str, hint: Any) -> Shape:
    if get_origin(hint) in {Union, types.UnionType}:  # X | None
        (hint,) = (each for each in get_args(hint) if each is not types.NoneType)
    origin = get_origin(hint)
    if origin is tuple:
        inner = get_args(hint)[0]
        return Shape(name, inner, named_by=NAMED_BY.get(inner, ""), is_list=True)
    if origin is not None:
        return Shape(name, str, is_map=True, is_facets=name == "facets")
    return Shape(name, hint)


def default_of(each: Field[Any]) -> Any:
    if each.default is not MISSING:
        return each.default
    return each.default_factory() if each.default_factory is not MISSING else MISSING


def leaves(tree: Tree) -> Iterator[tuple[str, str]]:
    """All leaves with their paths: `overrides[current].maximum`. A branch without leaves is
    told by its own path, with an empty text."""
    for name, inner in tree.items():
        yield from leaves_at(inner, name)


def leaves_at(inner: Tree | str, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(inner, str):
        yield path, inner
    elif not inner:
        yield path, ""
    else:
        brackets = is_by_name(path)
        for name, each in inner.items():
            yield from leaves_at(each, f"{path}[{name}]" if brackets else f"{path}.{name}")


BY_NAME = frozenset(
    {
        "alternative_drivers",
        "attributes",
        "commands",
        "drivers",
        "environment",
        "labels",
        "overrides",
        "parameters",
        "properties",
        "units",
        "values",
        "versions",
    }
)
"""Fields whose members people name: their paths have brackets."""


def is_by_name(path: str) -> bool:
    """Whether what a path leads to is called by names that people gave."""
    return not path.endswith("]") and path.rpartition(".")[2] in BY_NAME
