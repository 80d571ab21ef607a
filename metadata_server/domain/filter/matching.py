"""Whether a subject in memory passes a filter: what the language means, said once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from metadata_server.domain.filter.expression import (
    All,
    AnyOf,
    Expression,
    Instant,
    Not,
    Pattern,
    Term,
    Wanted,
)
from metadata_server.domain.filter.key import Fact, Operator, ValueKind

COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.IS: operator.eq,
    Operator.HAS: operator.eq,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.GREATER: operator.gt,
    Operator.AT_LEAST: operator.ge,
}


def matches(expression: Expression, subject: object, now_us: int) -> bool:
    """Whether a subject passes.

    Args:
        subject: what the readers of the keys take.
        now_us: that ages are counted from.
    """
    match expression:
        case Term():
            return passes(expression, subject, now_us)
        case Not(part):
            return not matches(part, subject, now_us)
        case All(parts):
            return all(matches(part, subject, now_us) for part in parts)
        case AnyOf(parts):
            return any(matches(part, subject, now_us) for part in parts)


def passes(term: Term, subject: object, now_us: int) -> bool:
    facts = term.key.of(subject)
    if isinstance(facts, Mapping):
        if not term.name:
            found: list[Fact] = list(facts)
        elif term.name not in facts:
            return False
        else:
            found = [facts[term.name]]
    else:
        found = list(facts)
    if not term.wanted:
        return bool(found)
    return any(suits(term, wanted, fact, now_us) for fact in found for wanted in term.wanted)


def suits(term: Term, wanted: Wanted, fact: Fact, now_us: int) -> bool:
    """Whether one value is what one part of a term wants."""
    if isinstance(wanted, Instant):
        return COMPARE[term.operator](fact, wanted.at(now_us))
    if isinstance(wanted, Pattern):
        return wanted.passes(f"{fact}/" if term.key.kind is ValueKind.PLACE else str(fact))
    if term.key.kind is ValueKind.PLACE:
        return str(fact) == wanted or str(fact).startswith(f"{wanted}/")
    return COMPARE[term.operator](fact, wanted)
