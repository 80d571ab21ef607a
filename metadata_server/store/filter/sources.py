"""Where SQL finds the values of a key, and how each is compared."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, and_, false, func, not_, or_

from metadata_server.domain.filter.expression import Instant, Pattern, Term, Wanted
from metadata_server.domain.filter.key import Operator
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.store.any_of import any_of
from metadata_server.store.filter import documents
from metadata_server.store.filter.scope import Scope
from metadata_server.store.intent.selections import id_range

Source: TypeAlias = Callable[[Scope, Term], ColumnElement[bool]]
"""What passes a term; NULL is as good as false."""

COMPARE: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.IS: operator.eq,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.GREATER: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
MOST_MENTIONS = 4
"""For more texts than these a body is read as JSON at once, rather than looked through for each."""


def one_of(term: Term, passes: Callable[[Wanted], ColumnElement[bool]]) -> ColumnElement[bool]:
    return any_of(map(passes, dict.fromkeys(term.wanted)))


def ids(column: Column[str]) -> Source:
    """A column of ids."""

    def source(scope: Scope, term: Term) -> ColumnElement[bool]:
        told = scope.checked(column, term, order="id")
        named = [str(each) for each in term.wanted if not isinstance(each, Pattern)]
        is_named = told.in_([each for each in named if BEGINS_AN_ID.match(each)])
        patterns = [each for each in term.wanted if isinstance(each, Pattern)]
        fitting = (and_(scope.id_passes(told, each), *within(told, each)) for each in patterns)
        return any_of([is_named, *fitting] if named else fitting)

    return source


def within(column: ColumnElement[str], wanted: Wanted) -> list[ColumnElement[bool]]:
    """The range of an index in which a pattern of ids lies."""
    beginning = wanted.beginning if isinstance(wanted, Pattern) else ""
    return id_range(column, prefix=beginning) if BEGINS_AN_ID.match(beginning) else []


def groups(column: Column[str]) -> Source:
    """The groups of a column of ids."""

    def passes(scope: Scope, term: Term, wanted: Wanted) -> ColumnElement[bool]:
        told = scope.checked(column, term, order="id")
        if isinstance(wanted, Pattern):
            return and_(scope.id_passes(told, wanted), *within(told, wanted))
        if not wanted or not BEGINS_AN_ID.match(str(wanted)):
            return false()
        return and_(*id_range(told, prefix=f"{wanted}/"))

    return lambda scope, term: one_of(term, lambda wanted: passes(scope, term, wanted))


def texts(column: ColumnElement[str]) -> Source:
    """A column of texts; where there is no row to have one, it is empty."""

    def source(scope: Scope, term: Term) -> ColumnElement[bool]:
        passing = scope.texts_pass(column, term.wanted)
        return or_(passing, column.is_(None)) if any(map(is_empty, term.wanted)) else passing

    return source


def is_empty(wanted: Wanted) -> bool:
    """Whether an empty text is what is wanted."""
    return wanted.passes("") if isinstance(wanted, Pattern) else wanted == ""


def ascii_texts(column: Column[str]) -> Source:
    """A column of ASCII, which nothing else may be compared with."""

    def is_ascii(wanted: Wanted) -> bool:
        pieces = wanted.pieces if isinstance(wanted, Pattern) else (str(wanted),)
        return "".join(pieces).isascii()

    return lambda scope, term: scope.texts_pass(column, filter(is_ascii, term.wanted))


def references(column: Column[Any], kind: Kind) -> Source:
    """A column with the keys of other resources."""
    return lambda scope, term: scope.refers(column, kind, term)


def last_names(column: Column[Any], kind: Kind) -> Source:
    """A column with the keys of other resources that may be gone: by the ids that they have, or
    had last."""
    return lambda scope, term: column.in_(scope.keys_last_named(kind, term.wanted))


def words(column: Column[str], absent: str = "") -> Source:
    """A column of words; `absent`: what it is where there is no row to have it."""

    def source(scope: Scope, term: Term) -> ColumnElement[bool]:
        found = scope.checked(column, term).in_(sorted(map(str, term.wanted)))
        return or_(found, column.is_(None)) if absent in term.wanted else found

    return source


def own_words(column: Column[str]) -> Source:
    """A column of words of the list's own table."""
    return lambda _, term: column.in_(sorted(map(str, term.wanted)))


def numbers(column: ColumnElement[Any]) -> Source:
    def source(_: Scope, term: Term) -> ColumnElement[bool]:
        if term.operator is Operator.IS and len(term.wanted) > 1:
            return column.in_(list(dict.fromkeys(term.wanted)))
        return one_of(term, lambda wanted: COMPARE[term.operator](column, wanted))

    return source


def times(column: ColumnElement[Any], order: str = "") -> Source:
    """A column of microseconds; 0 is no time.

    Args:
        order: that its index gives.
    """

    def passes(scope: Scope, term: Term, wanted: Wanted) -> ColumnElement[bool]:
        assert isinstance(wanted, Instant)
        told = scope.checked(column, term, order=order)
        return and_(COMPARE[term.operator](told, wanted.at(scope.now_us)), told > 0)

    return lambda scope, term: one_of(term, lambda wanted: passes(scope, term, wanted))


def flags(column: ColumnElement[Any]) -> Source:
    """A column of truth; absent is false."""
    return lambda _, term: truth(func.coalesce(column, False).is_(True), term)


def truth(holds: ColumnElement[bool], term: Term) -> ColumnElement[bool]:
    wanted = set(term.wanted)
    return or_(
        holds if True in wanted else false(),
        not_(func.coalesce(holds, False)) if False in wanted else false(),
    )


def body_text(body: Column[str], path: str) -> Source:
    """A text in a body; absent, it is empty."""

    def passes(scope: Scope, wanted: Wanted) -> ColumnElement[bool]:
        passing = scope.text_passes(documents.text_at(scope, body, path), wanted)
        mentions = [] if is_empty(wanted) else documents.mentions(scope, body, wanted)
        return and_(*mentions, passing)

    def source(scope: Scope, term: Term) -> ColumnElement[bool]:
        found = documents.text_at(scope, body, path)
        if len(term.wanted) <= MOST_MENTIONS:
            passing = one_of(term, lambda wanted: passes(scope, wanted))
        else:
            passing = scope.texts_pass(found, term.wanted)
        return or_(passing, found.is_(None)) if any(map(is_empty, term.wanted)) else passing

    return source


def body_words(body: Column[str], path: str, absent: str) -> Source:
    def source(scope: Scope, term: Term) -> ColumnElement[bool]:
        found = documents.text_at(scope, body, path)
        passing = found.in_(sorted(map(str, term.wanted)))
        return or_(passing, found.is_(None)) if absent in term.wanted else passing

    return source


def body_number(body: Column[str], path: str) -> Source:
    return numbers(documents.number_at(body, path))


def body_time(body: Column[str], path: str) -> Source:
    return times(documents.number_at(body, path))


def body_flag(body: Column[str], path: str) -> Source:
    return lambda scope, term: truth(documents.is_true_at(scope, body, path), term)


def body_count(body: Column[str], path: str) -> Source:
    return lambda scope, term: numbers(documents.count_at(scope, body, path))(scope, term)


def body_list(body: Column[str], path: str, member: str = "") -> Source:
    """Texts in a list, or members of the objects in it."""
    return lambda scope, term: documents.is_in_list(scope, body, path, member, term.wanted)


def body_names(body: Column[str], path: str) -> Source:
    """Texts by name."""

    def source(scope: Scope, term: Term) -> ColumnElement[bool]:
        if not term.name:
            return documents.is_named(scope, body, path, term.wanted)
        found = documents.text_at(scope, body, documents.named(path, term.name))
        if not term.wanted:
            return found.is_not(None)
        return scope.texts_pass(found, term.wanted)

    return source


def launched(make: Callable[[Column[str], str], Source], body: Column[str], name: str) -> Source:
    """A field of how something is launched, if it is at all."""
    source = make(body, f"$.launch.{name}")

    def guarded(scope: Scope, term: Term) -> ColumnElement[bool]:
        is_launched = func.json_extract(body, "$.launch").is_not(None)
        return and_(is_launched, source(scope, term))

    return guarded
