"""Requirements between attributes: what a template demands of its own values, and of those of
every unit with its overrides merged. Numbers are compared as they were written, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from metadata_server.domain.intent.attribute import FACETS, Attribute, ValueType
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facets import Slot, facet_value, span_of
from metadata_server.domain.intent.template import Relation, Requirement, Template
from metadata_server.domain.intent.values import ORDERED, Fault, Value, number
from metadata_server.domain.refused import WrongField

IN_ORDER = frozenset({Relation.LESS, Relation.AT_MOST})
"""Relations that want a smaller and a larger."""

WORDS = {
    Relation.LESS: ("less than", "more than"),
    Relation.AT_MOST: ("at most", "at least"),
    Relation.EQUAL: ("equal to", "equal to"),
    Relation.DIFFERENT: ("other than", "other than"),
}
"""What the left must be, seen from the right; and the right, seen from the left."""

Attributes = Mapping[str, Attribute]
Facets = Mapping[str, Mapping[str, str]]
"""Facets that apply, by name of the attribute."""


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a requirement.

    Attributes:
        attribute: None: it is a number.
        facet: of the attribute, that is compared.
    """

    text: str
    attribute: Attribute | None = None
    facet: str = "default_value"

    def said(self, facets: Facets) -> str | None:
        """The text that it stands for; None: it has no value."""
        if self.attribute is None:
            return self.text
        return facets.get(self.attribute.name, {}).get(self.facet)

    def value(self, text: str) -> Value | Fault:
        found = number(text)
        if self.attribute is None:
            return Fault("a number") if found is None else found
        each = self.attribute
        slot = Slot(each.name, each.type, each.shape, each.maximum_size_bytes)
        return facet_value(slot, self.facet, text)

    @property
    def is_ordered(self) -> bool:
        """Whether its values can have a smaller and a larger."""
        if self.attribute is None or self.attribute.type in ORDERED | {ValueType.UNSPECIFIED}:
            return self.facet != "unit"
        return False


@dataclass(frozen=True, slots=True)
class Breach:
    """That a requirement does not hold of some values, and of which."""

    requirement: Requirement
    left: Operand
    right: Operand
    left_text: str
    right_text: str

    def expected(self, *, of_left: bool) -> str:
        """What would be right instead of one side's value."""
        words = WORDS[self.requirement.relation][0 if of_left else 1]
        other = f"{self.right_text}{name_of(self.right)}" if of_left else self._left_words()
        why = f" ({self.requirement.description})" if self.requirement.description else ""
        return f"{words} {other}{why}"

    def _left_words(self) -> str:
        return f"{self.left_text}{name_of(self.left)}"


def name_of(operand: Operand) -> str:
    return "" if operand.attribute is None else f", which is {operand.text}"


def operand_of(text: str, attributes: Attributes) -> Operand | None:
    """What a side of a requirement names; None: nothing that is there.

    Names of attributes may have dots: what follows the last one is a facet where it is the name
    of one and the rest is an attribute.
    """
    name, dot, facet = text.rpartition(".")
    if dot and facet in FACETS and name in attributes:
        return Operand(text, attributes[name], facet)
    if text in attributes:
        return Operand(text, attributes[text])
    return Operand(text) if number(text) is not None else None


def requirement_faults(template: Template) -> Iterator[WrongField]:
    """What is wrong with the requirements of a template, and where it breaks them itself."""
    attributes = {each.name: each for each in template.attributes}
    facets = {each.name: each.facets for each in template.attributes}
    for position, each in enumerate(template.requirements):
        path = f"requirements[{position}]"
        faults = [*operand_faults(each, attributes, path=path)]
        yield from faults
        breach = None if faults else breach_of(each, attributes, facets)
        if breach is not None:
            side = "left" if breach.left.attribute else "right"
            text = breach.left_text if breach.left.attribute else breach.right_text
            expected = breach.expected(of_left=side == "left")
            subject = getattr(each, side)
            yield WrongField(f"{path}.{side}", text, expected, "REQUIREMENT_BROKEN", subject)


def operand_faults(
    requirement: Requirement, attributes: Attributes, *, path: str
) -> Iterator[WrongField]:
    for side in ("left", "right"):
        text: str = getattr(requirement, side)
        operand = operand_of(text, attributes)
        if operand is None:
            expected = "an attribute of this template, {attribute}.{facet}, or a number"
            yield WrongField(f"{path}.{side}", text, expected)
        elif requirement.relation in IN_ORDER and not operand.is_ordered:
            expected = f"something that has numbers, to be {requirement.relation}"
            yield WrongField(f"{path}.{side}", text, expected)


def requirement_misfits(unit: ControlUnit, template: Template) -> Iterator[WrongField]:
    """Where the overrides of a unit break what its template demands; the first side that the
    unit says itself is to blame."""
    if not template.requirements or not unit.overrides:
        return
    attributes = {each.name: each for each in template.attributes}
    said = {each.attribute: (place, each.facets) for place, each in enumerate(unit.overrides)}
    facets = {each.name: each.facets for each in template.attributes}
    for name, (_, own) in said.items():
        facets[name] = {**facets.get(name, {}), **own}
    for requirement in template.requirements:
        breach = breach_of(requirement, attributes, facets)
        if breach is None:
            continue
        for operand, text in (
            (breach.left, breach.left_text),
            (breach.right, breach.right_text),
        ):
            name = operand.attribute.name if operand.attribute else ""
            place, own = said.get(name, (0, {}))
            if operand.facet in own:
                path = f"overrides[{place}].{operand.facet}"
                expected = breach.expected(of_left=operand is breach.left)
                yield WrongField(path, text, expected, "REQUIREMENT_BROKEN", name)
                break


def breach_of(requirement: Requirement, attributes: Attributes, facets: Facets) -> Breach | None:
    """How a requirement does not hold; None: it does, or one side has no value."""
    left = operand_of(requirement.left, attributes)
    right = operand_of(requirement.right, attributes)
    if left is None or right is None:
        return None
    left_text, right_text = left.said(facets), right.said(facets)
    if left_text is None or right_text is None:
        return None
    one, other = left.value(left_text), right.value(right_text)
    if isinstance(one, Fault) or isinstance(other, Fault):
        return None  # told by others
    if holds(one, requirement.relation, other):
        return None
    return Breach(requirement, left, right, left_text, right_text)


def holds(left: Value, relation: Relation, right: Value) -> bool:
    """Of an array every number counts."""
    if relation not in IN_ORDER:
        return (left == right) is (relation is Relation.EQUAL)
    one, other = span_of(left), span_of(right)
    if one is None or other is None:
        return True
    return one[1] < other[0] if relation is Relation.LESS else one[1] <= other[0]
