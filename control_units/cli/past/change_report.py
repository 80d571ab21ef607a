"""Changes of the past, for people and for scripts."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import click
from mds.v1.history_pb2 import Change, ChangeAction, ChangeSet

from control_units.cli.output.differences import difference_fields
from control_units.cli.output.entries import Entry, entry_lines, some_names
from control_units.cli.output.writing import Shape, plain_of
from control_units.cli.past.compare_report import SIGNS, was_called
from control_units.cli.times import shown
from control_units.client.words import word_of

_NAMES_IN_A_ROW = 3

CHANGE_SET_HEADERS = ("revision", "time", "author", "reason", "what", "by", "request", "of")


def changes_text(changes: Sequence[Change], *, kept_from: int, is_cut: bool) -> str:
    """A paragraph for each change set."""
    lines: list[str] = []
    for _, group in groupby(changes, key=lambda change: change.change_set.revision):
        of_one = list(group)
        lines += [*_title(of_one[0].change_set), *entry_lines(map(_entry, of_one)), ""]
    if not changes:
        lines.append("No changes.")
    if kept_from:
        lines.append(f"What is older than revision {kept_from} is no longer kept.")
    if is_cut:
        lines.append("There may be more: say --limit.")
    return "\n".join(lines).rstrip("\n")


def _title(change_set: ChangeSet) -> Iterator[str]:
    when = f"{shown(change_set.time)}  {change_set.author or 'nobody said who'}"
    client = f"  with {change_set.client}" if change_set.client else ""
    yield click.style(f"{change_set.revision}  {when}", bold=True) + client
    if change_set.reason:
        yield f"  “{change_set.reason}”"


def _entry(change: Change) -> Entry:
    note = was_called(change.former_name)
    return Entry(SIGNS[change.action], change.name, note, change.differences)


def changes_json(changes: Sequence[Change]) -> list[dict[str, object]]:
    return [
        {
            "name": change.name,
            "former_name": change.former_name,
            "action": word_of(ChangeAction, change.action),
            "differences": difference_fields(change.differences),
            **_authorship(change.change_set),
        }
        for change in changes
    ]


def _authorship(change_set: ChangeSet) -> dict[str, object]:
    return {
        "revision": change_set.revision,
        "time": change_set.time.ToJsonString(),
        "author": change_set.author,
        "reason": change_set.reason,
        "request_id": change_set.request_id,
        "client": change_set.client,
        "method": change_set.method,
    }


def change_set_row(change_set: ChangeSet) -> tuple[str, ...]:
    counts = (
        ("+", change_set.created),
        ("~", change_set.updated),
        ("-", change_set.deleted),
    )
    return (
        str(change_set.revision),
        shown(change_set.time),
        change_set.author,
        change_set.reason,
        " ".join(f"{sign}{count}" for sign, count in counts if count) or change_set.method,
        change_set.client,
        change_set.request_id,
        some_names(
            change_set.first_names[:_NAMES_IN_A_ROW], count=sum(count for _, count in counts)
        ),
    )


SHAPE = Shape(
    CHANGE_SET_HEADERS, change_set_row, ("request",), ("reason", "of", "by", "author"), plain_of
)
