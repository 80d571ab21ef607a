"""What a newer release has written and this one does not know.

Both run on one database while servers are replaced. What a newer one has put into a row stays as
it lies when this one changes the row, and where it would have to be taken apart for that, the
change is refused: another replica can do it. What cannot be read at all is refused likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import inspect

from metadata_server.domain.refused import Refused
from metadata_server.store.codec import canonical, defaults_of


@dataclass(frozen=True, slots=True)
class NewerContent:
    """What one row has of it.

    Attributes:
        type: of the resource.
        whole: fields that this release does not have.
        within: fields that it has, with something in them that it does not know, as they lie.
    """

    type: type[Any]
    whole: Mapping[str, Any]
    within: Mapping[str, Any]

    def kept_in(self, content: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The new content of the resource of that name, with all of this in its place.

        Raises:
            Refused: NEWER_CONTENT: a field changes that holds something unknown.
        """
        inner, defaults = structure_of(self.type).inner, dict(defaults_of(self.type))
        changed = [
            field
            for field, lying in self.within.items()
            if canonical(inner[field].known_of(lying))
            != canonical(content.get(field, defaults[field]))
        ]
        if changed:
            raise newer_content(f"{', '.join(changed)} of {name}")
        return {**content, **self.within, **self.whole}


def newer_in(type_: type[Any], data: Mapping[str, Any]) -> NewerContent | None:
    """What the plain data of a resource has that its type has not; None: nothing.

    Args:
        data: the body of a row, or an image without what the store knows of the resource.
    """
    structure = structure_of(type_)
    if structure.knows(data):
        return None
    whole = {name: data[name] for name in data.keys() - structure.names}
    within = {
        name: data[name]
        for name, part in structure.inner.items()
        if name in data and not part.knows(data[name])
    }
    return NewerContent(type_, whole, within)


def check_known(type_: type[Any], data: Mapping[str, Any], what: str) -> None:
    """Passes when this release knows all of it, and so may write it again elsewhere.

    Raises:
        Refused: NEWER_CONTENT.
    """
    if found := newer_in(type_, data):
        raise newer_content(f"{', '.join([*found.whole, *found.within])} of {what}")


def newer_content(what: str) -> Refused:
    return Refused.busy(
        "NEWER_CONTENT",
        f"A newer release has written {what}, and this server does not know all of it. Send the "
        "same call again: another server may. If it goes on, upgrade all servers.",
    )


@dataclass(frozen=True, slots=True)
class Structure:
    """A dataclass as it lies in plain data.

    Attributes:
        names: of its fields.
        inner: those of them within which something can be unknown.
    """

    names: frozenset[str]
    inner: Mapping[str, Part]

    def knows(self, held: Any) -> bool:
        if held is None:
            return True
        inner = self.inner
        return held.keys() <= self.names and (
            not inner or all(part.knows(held[name]) for name, part in inner.items() if name in held)
        )

    def known_of(self, held: Any) -> Any:
        """Only what this release knows."""
        if held is None:
            return None
        inner = self.inner
        return {
            name: inner[name].known_of(value) if name in inner else value
            for name, value in held.items()
            if name in self.names
        }


@dataclass(frozen=True, slots=True)
class Several:
    """Many of a structure, one after the other."""

    each: Part

    def knows(self, held: Any) -> bool:
        knows = self.each.knows
        return all(knows(item) for item in held)

    def known_of(self, held: Any) -> Any:
        return [self.each.known_of(item) for item in held]


Part = Structure | Several


def structure_of(type_: type[Any]) -> Structure:
    """Of a resource, but what the store knows of it."""
    if type_ not in known_structures:
        found = part_of(inspect.type_info(type_))
        assert isinstance(found, Structure)
        inner = {name: part for name, part in found.inner.items() if name != "meta"}
        known_structures[type_] = Structure(found.names, inner)
    return known_structures[type_]


known_structures: dict[type[Any], Structure] = {}


def part_of(described: inspect.Type) -> Part | None:
    """None: nothing in data of such a type can be unknown.

    Raises:
        TypeError: nobody has thought of such a type in a body yet.
    """
    if isinstance(described, inspect.DataclassType):
        parts = {field.encode_name: part_of(field.type) for field in described.fields}
        inner = {name: part for name, part in parts.items() if part is not None}
        return Structure(frozenset(parts), inner)
    if isinstance(described, inspect.VarTupleType):
        each = part_of(described.item_type)
        return None if each is None else Several(each)
    if isinstance(described, inspect.UnionType):
        several = [part for part in map(part_of, described.types) if part is not None]
        if len(several) > 1:
            raise TypeError(f"{described} is one of several structures")
        return several[0] if several else None
    if isinstance(described, inspect.DictType) and part_of(described.value_type) is not None:
        raise TypeError(f"{described} holds structures by name")
    return None
