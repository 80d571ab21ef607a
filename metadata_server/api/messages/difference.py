"""Differences of fields, as messages."""

from __future__ import annotations

from collections.abc import Iterable

from mds.v1 import difference_pb2

from metadata_server.domain.difference import FieldDifference


def difference_messages(
    differences: Iterable[FieldDifference], *, longest: int | None = None
) -> list[difference_pb2.FieldDifference]:
    """One message a field.

    Args:
        longest: characters that are told of a text; None: all.
    """
    return [
        difference_pb2.FieldDifference(
            path=each.path, before=told(each.before, longest), after=told(each.after, longest)
        )
        for each in differences
    ]


def told(text: str | None, longest: int | None) -> str | None:
    if text is None or longest is None or len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text)} characters)"
