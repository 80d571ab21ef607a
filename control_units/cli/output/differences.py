"""What differs, field by field, for people and for scripts."""

from collections.abc import Iterable, Iterator, Sequence

import click
from mds.v1.difference_pb2 import FieldDifference

from control_units.importers.findings import shown

_WIDEST_PATH = 50
_LONGEST = 60

CREATED = "green"
CHANGED = "yellow"
REMOVED = "red"


def field_lines(differences: Sequence[FieldDifference], indent: str) -> Iterator[str]:
    """A line for each field: `overrides[current].maximum  50 → 60`."""
    width = min(max((len(each.path) for each in differences), default=0), _WIDEST_PATH)
    for each in differences:
        before = click.style(before_of(each), fg=REMOVED)
        after = click.style(after_of(each), fg=CREATED)
        yield f"{indent}{each.path:<{width}}  {before} → {after}"


def before_of(difference: FieldDifference) -> str:
    return told(difference.before if difference.HasField("before") else None)


def after_of(difference: FieldDifference) -> str:
    return told(difference.after if difference.HasField("after") else None)


def told(value: str | None) -> str:
    """A value as it may stand in a line; a plain one without quotes."""
    if value is None:
        return "not set"
    is_plain = value and value.isprintable() and value == value.strip() and len(value) <= _LONGEST
    return value if is_plain else shown(value, limit=_LONGEST)


def difference_fields(differences: Iterable[FieldDifference]) -> list[dict[str, str | None]]:
    return [
        {
            "path": each.path,
            "before": each.before if each.HasField("before") else None,
            "after": each.after if each.HasField("after") else None,
        }
        for each in differences
    ]
