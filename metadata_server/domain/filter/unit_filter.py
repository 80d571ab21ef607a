"""Filters that people declare: which control units something is about."""

from __future__ import annotations

from collections.abc import Iterator

from metadata_server.domain.filter.asked import refuse_unknown
from metadata_server.domain.filter.expression import Expression
from metadata_server.domain.filter.key import FilterKey, ValueKind
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.filter.subject import UnitSubject
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField

FIELD = "unit_filter"
NOTED = frozenset({"revision", "generation"})
"""What each change of a unit changes, so that it would lead out of the reach of what asks for
it; so do times."""


def is_declared(key: FilterKey) -> bool:
    """Whether a key is about what people say of a unit."""
    return key.is_watched and key.kind is not ValueKind.TIME and key.name not in NOTED


def declared_passes(text: str, unit: ControlUnit) -> bool:
    """Whether a unit passes a filter of what is declared."""
    return matches(parse_filter(text, Kind.CONTROL_UNIT), UnitSubject(declared=unit), 0)


def unit_filter_faults(text: str) -> Iterator[WrongField]:
    """What is wrong with a filter that is worked out when it is needed."""
    try:
        parse_filter(text, Kind.CONTROL_UNIT, FIELD)
    except Refused as refused:
        yield from refused.fields


def declared_filter_faults(text: str) -> Iterator[WrongField]:
    """What is wrong with a filter that may only ask for what is declared."""
    try:
        check_declared(parse_filter(text, Kind.CONTROL_UNIT, FIELD))
    except Refused as refused:
        yield from refused.fields


def check_declared(expression: Expression) -> None:
    """Raises: Refused: INVALID_FILTER."""
    refuse_unknown(
        expression,
        lambda term: is_declared(term.key),
        VOCABULARIES[Kind.CONTROL_UNIT].names(is_declared),
        "it is not declared, or changes with each change",
        field=FIELD,
    )
