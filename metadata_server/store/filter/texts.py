"""Texts compared byte by byte, and with patterns: neither folds case, nor blanks at the end."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, LargeBinary, and_, cast

from metadata_server.domain.filter.expression import Pattern

ESCAPE = "!"
"""A backslash means something else already, depending on how a server is set."""
IN_LIKE = str.maketrans({each: ESCAPE + each for each in ("%", "_", ESCAPE)})
IN_GLOB = str.maketrans({each: f"[{each}]" for each in "*?["})


def fits(column: ColumnElement[str], pattern: Pattern, *, is_sqlite: bool) -> ColumnElement[bool]:
    """That a text passes a pattern. SQLite's LIKE folds case; its GLOB does not."""
    if is_sqlite:
        glob = "*".join(piece.translate(IN_GLOB) for piece in pattern.pieces)
        found: ColumnElement[bool] = column.op("GLOB", is_comparison=True)(glob)
        return found
    return column.like(like_text(pattern), escape=ESCAPE)


def like_text(pattern: Pattern) -> str:
    return "%".join(piece.translate(IN_LIKE) for piece in pattern.pieces)


def is_same(column: ColumnElement[str], text: str, *, is_sqlite: bool) -> ColumnElement[bool]:
    """That a text is another. MariaDB's `=` takes no account of blanks at the end; LIKE does."""
    if is_sqlite:
        return column == text
    return column.like(text.translate(IN_LIKE), escape=ESCAPE)


def is_one_of(
    column: ColumnElement[str], texts: Sequence[str], *, is_sqlite: bool
) -> ColumnElement[bool]:
    """As `is_same`, of many texts: told by an index, where there is one, and then exactly."""
    if len(texts) == 1:
        return is_same(column, texts[0], is_sqlite=is_sqlite)
    named = column.in_(texts)
    if is_sqlite:
        return named
    return and_(named, cast(column, LargeBinary).in_([each.encode() for each in texts]))
