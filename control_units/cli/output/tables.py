"""Rows for people at a terminal, and for programs behind a pipe."""

import sys
from collections.abc import Collection, Sequence

import click


def columns(headers: Sequence[str], rows: Sequence[Sequence[str]], indent: str) -> list[str]:
    """Lines with cells below each other, for a message."""
    widths = [max(len(row[i]) for row in (headers, *rows)) for i in range(len(headers))]
    return [
        indent
        + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *rows)
    ]


def write_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, elastic: Collection[str] = ()
) -> None:
    """A table on a terminal; elsewhere lines with tabs between fields, headers first.

    Args:
        elastic: headers of the columns that give way where a terminal is narrow; none: all do.
    """
    if not sys.stdout.isatty():
        for row in (headers, *rows):
            click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        is_stiff = bool(elastic) and header not in elastic
        table.add_column(header, overflow="fold", no_wrap=is_stiff)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
