"""A page of a list, ready to be drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from webui.clock import Moment, moment
from webui.lists.cell import Cell
from webui.lists.kind import Column, ListKind
from webui.lists.reading import Page
from webui.lists.view import SIZES, View
from webui.names import id_of, page_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one column.

    Attributes:
        address: that sorts by it, or the other way round; empty: nothing does.
        order: `ascending`, `descending`, or empty.
    """

    title: str
    style: str
    address: str
    order: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        name: of the thing, as the watch tells of it.
        also: names of what else it tells of.
        page: of the thing, where a cell leads to it; empty: none does.
        cells: in the order of the columns.
        has_left: it no longer passes the filter.
    """

    name: str
    id: str
    page: str
    tone: str
    cells: tuple[Cell, ...]
    has_left: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose: a column, a size of pages.

    Attributes:
        address: where choosing it leads; empty: it is a field of a form.
    """

    key: str
    title: str
    is_chosen: bool
    address: str = ""


def shown_columns(kind: ListKind[T], view: View) -> tuple[Column[T], ...]:
    """In the order in which they are declared."""
    chosen = view.columns or kind.usual
    return tuple(column for column in kind.columns if column.key in chosen)


def heads(
    kind: ListKind[T], columns: Sequence[Column[T]], view: View, *, is_past: bool
) -> list[Head]:
    sort = view.sort or kind.usual_sort
    return [
        _head(each, view, sort, is_sortable=bool(each.sort) and (each.is_past or not is_past))
        for each in columns
    ]


def _head(column: Column[T], view: View, sort: str, *, is_sortable: bool) -> Head:
    if not is_sortable:
        return Head(column.title, column.style, "", "")
    rising, falling = column.sort, f"-{column.sort}"
    order = {rising: "ascending", falling: "descending"}.get(sort, "")
    first, second = (falling, rising) if column.falls else (rising, falling)
    return Head(
        column.title, column.style, view.sorted(second if sort == first else first).address(), order
    )


def rows(
    kind: ListKind[T], page: Page[T], columns: Sequence[Column[T]], passing: frozenset[str] | None
) -> list[Row]:
    """The rows of a page.

    Args:
        passing: names of those that still pass the filter; None: all do.
    """
    return [_row(kind, thing, columns, passing) for thing in page.things]


def _row(
    kind: ListKind[T], thing: T, columns: Sequence[Column[T]], passing: frozenset[str] | None
) -> Row:
    name = kind.name(thing)
    page = page_of(name)
    cells = tuple([column.cell(thing) for column in columns])
    has_page = any(cell.page == page for cell in cells)
    return Row(
        name,
        id_of(name),
        page if has_page else "",
        kind.tone(thing),
        cells,
        has_left=passing is not None and name not in passing,
        also=tuple(kind.also(thing)),
    )


def column_choices(kind: ListKind[T], view: View) -> list[Choice]:
    chosen = view.columns or kind.usual
    return [Choice(c.key, c.title, c.key in chosen) for c in kind.columns]


def size_choices(view: View) -> list[Choice]:
    return [Choice(str(n), str(n), n == view.size, view.sized(n).address()) for n in SIZES]


def writer_of_times(now: datetime) -> Callable[[Timestamp], Moment]:
    """Writes times as people read them now."""
    return lambda stamp: moment(stamp, today=now)
