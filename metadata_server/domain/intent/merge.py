"""Takes a change back, field by field, from what is there now.

Three trees: `base`, what the change made; `target`, what was there before it; `now`. A field that
the change set goes back, one that others have set elsewhere since stays, one that was set again
since is contested.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from metadata_server.domain.tree import Tree, has_twins, is_by_name, leaves_at

Node = Tree | str | None
"""None: there is nothing."""
OVERRIDES = "overrides["
"""Elements that are no more than their fields: any part of one can come and go."""


@dataclass(frozen=True, slots=True)
class Contested:
    """A field that was changed again since.

    Attributes:
        base: what the change made of it; None: nothing.
        target: what it would go back to.
        now: what is there.
    """

    path: str
    base: str | None
    target: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """What is there once a change is taken back, as far as it is not contested."""

    tree: Tree
    contested: tuple[Contested, ...]


def merge(base: Tree, target: Tree, now: Tree) -> Merged:
    """What becomes of `now` when the change from `target` to `base` is taken back."""
    merging = Merging()
    merged = merging.node(base, target, now, "")
    return Merged(as_tree(merged), tuple(merging.contested))


class Merging:
    """One merge.

    Attributes:
        contested: what was found so far.
    """

    def __init__(self) -> None:
        self.contested: list[Contested] = []

    def node(self, base: Node, target: Node, now: Node, path: str) -> Node:
        """What a node becomes; None: it goes."""
        if same(base, target) or same(now, target):
            return now
        if same(now, base):
            return target
        if all(has_parts(each, path) for each in (base, target, now)):
            merged = self.branch(as_tree(base), as_tree(target), as_tree(now), path)
            # Names that people gave and that are all gone leave nothing; an element stays.
            stays = bool(merged) or (target is not None and not is_by_name(path))
            return merged if stays else None
        self.contested.append(Contested(path, shown(base), shown(target), shown(now)))
        return now

    def branch(self, base: Tree, target: Tree, now: Tree, path: str) -> Tree:
        """What a branch becomes, part by part."""
        found: Tree = {}
        for name in dict.fromkeys((*now, *target)):
            part = self.node(base.get(name), target.get(name), now.get(name), below(path, name))
            if part is not None:
                found[name] = part
        if path and is_by_name(path):
            return self.ordered(found, (base, target, now), path)
        return found

    def ordered(self, found: Tree, sides: tuple[Tree, Tree, Tree], path: str) -> Tree:
        """Parts in an order: the one that the change had made goes back; else what there is
        now stays. What was sorted stays sorted."""
        base, target, now = sides
        if all(list(each) == sorted(each) for each in sides):
            return {name: found[name] for name in sorted(found)}
        if not turned(base, target) or not turned(now, target):
            order = [*now, *target]
        elif not turned(now, base):
            order = [*target, *now]
        else:
            self.contested.append(Contested(path, *(json.dumps(list(each)) for each in sides)))
            order = [*now]
        return {name: found[name] for name in dict.fromkeys(order) if name in found}


def turned(one: Tree, other: Tree) -> bool:
    """Whether what two branches share stands in different orders."""
    return [name for name in one if name in other] != [name for name in other if name in one]


def has_parts(node: Node, path: str) -> bool:
    """Whether a node can be merged part by part. One that is not there can, where nothing but
    its parts would tell it from an empty one: half a driver is none. One with two of a name
    cannot: nothing says which of them is which."""
    if node is None:
        return is_by_name(path) or path.startswith(OVERRIDES)
    return isinstance(node, dict) and not has_twins(node, path)


def as_tree(node: Node) -> Tree:
    return node if isinstance(node, dict) else {}


def same(one: Node, other: Node) -> bool:
    """Whether two nodes are equal, with their parts in the same order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    return one == other


def below(path: str, name: str) -> str:
    if not path:
        return name
    return f"{path}[{name}]" if is_by_name(path) else f"{path}.{name}"


def shown(node: Node) -> str | None:
    """A node as one text: of a branch its leaves."""
    if node is None or isinstance(node, str):
        return node
    return "; ".join(told(leaves_at(node, "")))


def told(pairs: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"{path.lstrip('.')}={value}" if path else value for path, value in pairs)
