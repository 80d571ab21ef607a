"""Rows for people at a terminal, and for programs behind a pipe."""

import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice

import click

GAP = "  "
CUT = "…"
_LEAST = 8
"""What a column keeps when it gives way."""
_AT_ONCE = 1000
"""Rows that share their widths: a longer table is written part by part, in constant memory."""

_COLOURS = {
    "green": ("RUNNING", "ALIVE", "GOOD", "COMPLETED", "PUBLISHED"),
    "red": ("RECOVERABLE_ERROR", "FATAL_ERROR", "LOST", "BAD", "ERROR", "FAILED"),
    "yellow": ("SUSPECT", "UNKNOWN", "WARNING", "HELD", "SUSPENDED", "PENDING", "EXECUTING"),
    "magenta": ("ABORTED",),
}
COLOUR_OF = {word: colour for colour, words in _COLOURS.items() for word in words}
"""The colour of a word that says how something is."""


def columns(headers: Sequence[str], rows: Sequence[Sequence[str]], indent: str) -> list[str]:
    """Lines with cells below each other, for a message."""
    widths = [max(len(row[i]) for row in (headers, *rows)) for i in range(len(headers))]
    return [
        indent
        + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *rows)
    ]


def write_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    elastic: Collection[str] = (),
    is_wide: bool = False,
    has_headers: bool = True,
) -> None:
    """A table on a terminal, cut to fit; elsewhere lines with tabs between fields, headers first.

    Args:
        elastic: headers of the columns that give way first where a terminal is narrow, at their
            end; ids give way in their middle, and the first column never does.
        is_wide: nothing gives way.
    """
    if not sys.stdout.isatty():
        for row in chain([headers] if has_headers else [], rows):
            click.echo("\t".join(map(_flat, row)))
        return
    width = None if is_wide else shutil.get_terminal_size().columns
    left = iter(rows)
    is_first = True
    while (part := list(islice(left, _AT_ONCE))) or is_first:
        for line in table_lines(
            headers, part, width, elastic=elastic, has_headers=has_headers and is_first
        ):
            click.echo(line)
        is_first = False


def table_lines(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    *,
    elastic: Collection[str] = (),
    has_headers: bool = True,
) -> Iterator[str]:
    """The lines of a table that is not wider than a terminal, unless its first column is.

    Args:
        width: of the terminal; None: as wide as it comes.
    """
    flat = [[_flat(cell) for cell in row] for row in rows]
    natural = [
        max([cells(header), *(cells(row[i]) for row in flat)]) for i, header in enumerate(headers)
    ]
    widths = natural if width is None else fitted(natural, [h in elastic for h in headers], width)
    if has_headers:
        yield click.style(_line(headers, widths, set(headers)), bold=True)
    for row in flat:
        yield _line(row, widths, {i for i, header in enumerate(headers) if header in elastic})


def fitted(natural: Sequence[int], gives_way: Sequence[bool], width: int) -> list[int]:
    """Widths of columns that fit: elastic ones give way first, then all but the first; columns
    at the end are left out (0) where that does not do."""
    found = list(natural)
    for count in range(len(found), 1, -1):
        found = list(natural[:count])
        excess = sum(found) + len(GAP) * (count - 1) - width
        for is_turn in (True, False):
            turn = [i for i in range(1, count) if gives_way[i] is is_turn]
            excess = _shrink(found, turn, excess)
        if excess <= 0:
            return found + [0] * (len(natural) - count)
    return [natural[0], *([0] * (len(natural) - 1))]


def _shrink(widths: list[int], turn: Sequence[int], excess: int) -> int:
    """Takes from the widest of some columns until nothing is left to take; what is too much then."""
    while excess > 0:
        widest = max(turn, key=lambda i: widths[i], default=None)
        if widest is None or widths[widest] <= _LEAST:
            return excess
        others = [widths[i] for i in turn if widths[i] < widths[widest]]
        step = min(excess, max(1, widths[widest] - max([_LEAST, *others])))
        widths[widest] -= step
        excess -= step
    return excess


def _line(row: Sequence[str], widths: Sequence[int], at_end: Collection[int | str]) -> str:
    shown = []
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        if width:
            text = cut(cell, width, at_end=i in at_end or cell in at_end)
            padding = " " * (width - cells(text))
            colour = COLOUR_OF.get(cell)
            shown.append((click.style(text, fg=colour) if colour else text) + padding)
    return GAP.join(shown).rstrip()


def cut(text: str, width: int, *, at_end: bool = True) -> str:
    """A text that is no wider; of an id its end says more than its middle."""
    if cells(text) <= width:
        return text
    head = (width - 1) if at_end else (width - 1) // 3
    tail = width - 1 - head
    return _first(text, head) + CUT + _first(text[::-1], tail)[::-1]


def _first(text: str, width: int) -> str:
    """As much of a text as is no wider."""
    end = min(len(text), width)
    while cells(text[:end]) > width:
        end -= 1
    return text[:end]


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _flat(cell: str) -> str:
    """In one line, and without what would move a terminal's cursor."""
    if cell.isascii() and cell.isprintable():
        return cell
    return "".join(each if each.isprintable() else " " for each in cell)
