"""In which fields two images of a resource differ, told by paths that people can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from metadata_server.domain.conflict import FieldConflict
from metadata_server.domain.resource import Resource
from metadata_server.domain.tree import Tree, leaves, tree_of

ORDERED = ("attributes", "drivers", "alternative_drivers")
"""Lists whose order means something."""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field; None: it is not set.

    Attributes:
        path: `overrides[current].maximum`.
    """

    path: str
    before: str | None
    after: str | None


def differences(before: Resource, after: Resource) -> tuple[FieldDifference, ...]:
    """All fields of the content in which two images of one kind differ, sorted by path."""
    return tree_differences(tree_of(before), tree_of(after))


def tree_differences(before: Tree, after: Tree) -> tuple[FieldDifference, ...]:
    """Likewise, of two trees."""
    was, now = dict(leaves(before)), dict(leaves(after))
    found = [
        FieldDifference(path, was.get(path), now.get(path))
        for path in was.keys() | now.keys()
        if was.get(path) != now.get(path)
        and not is_filled(was, now, path)
        and not is_filled(now, was, path)
    ]
    found += [
        FieldDifference(name, order_of(before, name), order_of(after, name))
        for name in ORDERED
        if set(branch(before, name)) == set(branch(after, name))
        and list(branch(before, name)) != list(branch(after, name))
    ]
    return tuple(sorted(found, key=lambda each: each.path))


def is_filled(empty: Mapping[str, str], other: Mapping[str, str], path: str) -> bool:
    """Whether a branch is empty on one side, and its leaves on the other say so by themselves."""
    if empty.get(path) != "" or path in other:
        return False
    return any(each.startswith((f"{path}.", f"{path}[")) for each in other)


def field_conflicts(
    read: Resource | None, sent: Resource | None, now: Resource | None
) -> tuple[FieldConflict, ...]:
    """The fields in which what was sent, or what is there, differs from what was read; those
    that both have changed first.

    Args:
        read: None: no longer known; then the fields in which the other two differ.
        sent: None: no content was; then the fields that have changed since.
        now: None: it is gone.
    """
    base, mine, theirs = (dict(leaves(tree_of(each))) if each else {} for each in (read, sent, now))
    found = [
        FieldConflict(path, base.get(path), mine.get(path), theirs.get(path))
        for path in sorted(base.keys() | mine.keys() | theirs.keys())
    ]
    if read is None:
        return tuple(each for each in found if sent and each.sent != each.now)
    told = (each for each in found if each.read != each.now or (sent and each.read != each.sent))
    return tuple(sorted(told, key=lambda each: not each.is_contested))


def branch(tree: Tree, name: str) -> Tree:
    found = tree.get(name, {})
    return found if isinstance(found, dict) else {}


def order_of(tree: Tree, name: str) -> str:
    return json.dumps(list(branch(tree, name)), ensure_ascii=False)
