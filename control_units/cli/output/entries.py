"""What happens to resources, each thing told once: those of one kind that share their
differences share an entry."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click
from mds.v1.difference_pb2 import FieldDifference

from control_units.cli.output.differences import CHANGED, CREATED, REMOVED, field_lines

_NAMES = 10
"""Names that are told of many that share a fate."""

_ALONE = 2
"""Up to so many are told one by one, though they share their differences."""

_COLOURS = {"+": CREATED, "~": CHANGED, "-": REMOVED, "!": "magenta"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource.

    Attributes:
        sign: `+` created, `~` changed, `-` removed, `!` left though it differs.
        name: with its collection.
        note: what else is to be said of it alone; empty: nothing.
    """

    sign: str
    name: str
    note: str
    differences: Sequence[FieldDifference]

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]


def entry_lines(entries: Iterable[Entry]) -> Iterator[str]:
    groups: dict[tuple[str, str, tuple[bytes, ...]], list[Entry]] = {}
    for entry in entries:
        fields = tuple(each.SerializeToString() for each in entry.differences)
        groups.setdefault((entry.sign, entry.kind, fields), []).append(entry)
    for group in groups.values():
        if len(group) <= _ALONE:
            for entry in group:
                note = f"  ({entry.note})" if entry.note else ""
                yield _title(entry.sign, entry.name) + note
                yield from field_lines(entry.differences, "    ")
        else:
            first = group[0]
            yield _title(first.sign, f"{len(group)} {first.kind.replace('_', ' ')}")
            yield f"    {some_names([each.name for each in group])}"
            yield from field_lines(first.differences, "    ")


def _title(sign: str, text: str) -> str:
    return click.style(f"{sign} {text}", fg=_COLOURS[sign], bold=True)


def some_names(names: Sequence[str], *, count: int | None = None) -> str:
    """The first ids, and how many more there are.

    Args:
        count: of all, where `names` are only some.
    """
    ids = [name.partition("/")[2] for name in names[:_NAMES]]
    more = (len(names) if count is None else count) - len(ids)
    return ", ".join(ids) + (f" and {more} more" if more > 0 else "")
