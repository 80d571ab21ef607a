"""Values within the JSON bodies of resources; what has its default is not there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    String,
    cast,
    exists,
    func,
    literal,
    select,
    type_coerce,
)

from metadata_server.domain.filter.expression import Pattern, Wanted
from metadata_server.store.any_of import any_of
from metadata_server.store.codec import encoder
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.texts import ESCAPE, IN_LIKE, like_text

PLAIN = re.compile(r"[A-Za-z0-9 .:/+-]+")
"""What neither JSON nor LIKE writes otherwise."""


def named(path: str, name: str) -> str:
    """The path of a value that has a name; there it is as JSON writes it."""
    return f"{path}.{encoder.encode(name).decode()}"


def text_at(scope: Scope, body: Column[str], path: str) -> ColumnElement[str]:
    """A text; NULL: it is not there."""
    found = func.json_extract(body, path)
    return type_coerce(found if scope.is_sqlite else func.json_unquote(found), String)


def mentions(scope: Scope, body: Column[str], wanted: Wanted) -> list[ColumnElement[bool]]:
    """What any body passes that has a text somewhere: told without reading it as JSON, which
    takes four times as long. Of the text that part counts which JSON writes as it is."""
    pieces = wanted.pieces if isinstance(wanted, Pattern) else (str(wanted),)
    plain = max((run for piece in pieces for run in PLAIN.findall(piece)), key=len, default="")
    if not plain:
        return []
    if scope.is_sqlite:  # where its instr takes longer
        return [body.like(f"%{plain}%")]
    # MariaDB looks for bytes in a third of the time that it takes for letters; the part is ASCII.
    return [func.instr(body, cast(literal(plain), LargeBinary)) > 0]


def number_at(body: Column[str], path: str) -> ColumnElement[Any]:
    """A number; 0: it is not there."""
    found = func.json_extract(body, path)
    return func.coalesce(type_coerce(found, Integer) + 0, 0)


def is_true_at(scope: Scope, body: Column[str], path: str) -> ColumnElement[bool]:
    found = func.json_extract(body, path)
    if scope.is_sqlite:
        return func.coalesce(found, 0) == 1
    return func.coalesce(func.json_unquote(found), "") == "true"


def count_at(scope: Scope, body: Column[str], path: str) -> ColumnElement[int]:
    """How many there are in a list."""
    length = func.json_array_length if scope.is_sqlite else func.json_length
    return func.coalesce(length(body, path), 0)


def is_in_list(
    scope: Scope, body: Column[str], path: str, member: str, wanted: Collection[Wanted]
) -> ColumnElement[bool]:
    """That a list has one of some texts.

    Args:
        member: of its items that are objects, the one that counts (`.attribute`); empty: they
            are texts.
    """
    if scope.is_sqlite:
        each = func.json_each(body, path).table_valued("value", name="each")
        value = func.json_extract(each.c.value, f"${member}") if member else each.c.value
        passing = scope.texts_pass(type_coerce(value, String), wanted)
        return exists(select(literal(1)).select_from(each).where(passing))
    return has_one(body, wanted, f"{path}[*]{member}")


def is_named(
    scope: Scope, body: Column[str], path: str, wanted: Collection[Wanted]
) -> ColumnElement[bool]:
    """That there are values of one of some names."""
    if scope.is_sqlite:
        each = func.json_each(body, path).table_valued("key", name="each")
        passing = scope.texts_pass(type_coerce(each.c.key, String), wanted)
        return exists(select(literal(1)).select_from(each).where(passing))
    return has_one(func.json_keys(body, path), wanted)


def has_one(
    document: ColumnElement[Any], wanted: Iterable[Wanted], *path: str
) -> ColumnElement[bool]:
    """That a document has one of some texts, at a path or anywhere, as MariaDB looks for each."""
    return any_of(
        func.json_search(document, "one", searched(each), ESCAPE, *path).is_not(None)
        for each in dict.fromkeys(wanted)
    )


def searched(wanted: Wanted) -> str:
    """As JSON_SEARCH takes it, which has the rules of LIKE."""
    return like_text(wanted) if isinstance(wanted, Pattern) else str(wanted).translate(IN_LIKE)
