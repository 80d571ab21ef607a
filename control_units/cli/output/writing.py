"""Lists of things in the format that was asked for, one after the other as they come."""

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Generic, TypeVar

import click

Thing = TypeVar("Thing")

HEADERS_KEY = "control_units.cli.no_headers"
"""Where in the context of a command it says that people want no headers."""


def plain_of(message: Any) -> dict[str, Any]:
    """A message as the protocol's JSON has it: the same as REST's."""
    from google.protobuf.json_format import MessageToDict

    found: dict[str, Any] = MessageToDict(message)
    return found


def name_of(thing: Any) -> str:
    name: str = thing.name
    return name


@dataclass(frozen=True, slots=True)
class Shape(Generic[Thing]):
    """How things of one kind are written.

    Attributes:
        headers: of the columns; the first one's is the key.
        row: the cells of a thing.
        wide: headers of columns that only `wide` and `csv` have.
        elastic: headers of columns that give way first on a narrow terminal.
        plain: as programs read it: the protocol's JSON.
        name: by which other commands take it.
    """

    headers: Sequence[str]
    row: Callable[[Thing], Sequence[str]]
    wide: Collection[str] = ()
    elastic: Collection[str] = ()
    plain: Callable[[Thing], Mapping[str, Any]] = plain_of
    name: Callable[[Thing], str] = name_of

    def narrow(self) -> "Shape[Thing]":
        """Without the columns that only wide tables have."""
        kept = [i for i, header in enumerate(self.headers) if header not in self.wide]

        def row(thing: Thing) -> list[str]:
            cells = self.row(thing)
            return [cells[i] for i in kept]

        headers = [self.headers[i] for i in kept]
        return Shape(headers, row, (), self.elastic, self.plain, self.name)


def write_all(
    things: Iterable[Thing], shape: Shape[Thing], output: str, *, has_headers: bool = True
) -> None:
    """Writes things as `output` says: table, wide, json, ndjson, yaml, csv or name.

    Args:
        has_headers: whether a line of headers comes first, if people have not said otherwise.
    """
    context = click.get_current_context(silent=True)
    has_headers = has_headers and not (context and context.meta.get(HEADERS_KEY))
    things = _begun(things)
    if output in {"table", "wide"}:
        from control_units.cli.output.tables import write_table

        is_wide = output == "wide"
        told = shape if is_wide else shape.narrow()
        write_table(
            told.headers,
            map(told.row, things),
            elastic=told.elastic,
            is_wide=is_wide,
            has_headers=has_headers,
        )
    elif output == "csv":
        _write_csv(things, shape, has_headers=has_headers)
    else:
        for text in _PIECES[output](things, shape):
            click.echo(text, nl=False)


def _begun(things: Iterable[Thing]) -> Iterator[Thing]:
    """The things, of which the first has been read: nothing is written of what is refused."""
    left = iter(things)
    first = list(islice(left, 1))
    return chain(first, left)


def _write_csv(things: Iterable[Thing], shape: Shape[Thing], *, has_headers: bool) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if has_headers:
        writer.writerow([header.replace(" ", "_") for header in shape.headers])
    writer.writerows(map(shape.row, things))


def _json(things: Iterable[Thing], shape: Shape[Thing]) -> Iterator[str]:
    before = "[\n"
    for thing in things:
        text = json.dumps(shape.plain(thing), ensure_ascii=False, indent=2)
        yield before + "  " + text.replace("\n", "\n  ")
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _lines(things: Iterable[Thing], shape: Shape[Thing]) -> Iterator[str]:
    for thing in things:
        yield json.dumps(shape.plain(thing), ensure_ascii=False) + "\n"


def _yaml(things: Iterable[Thing], shape: Shape[Thing]) -> Iterator[str]:
    is_empty = True
    for thing in things:
        is_empty = False
        yield yaml_of([shape.plain(thing)])
    if is_empty:
        yield "[]\n"


def _names(things: Iterable[Thing], shape: Shape[Thing]) -> Iterator[str]:
    for thing in things:
        yield shape.name(thing) + "\n"


_PIECES: Mapping[str, Callable[[Iterable[Any], Shape[Any]], Iterator[str]]] = {
    "json": _json,
    "ndjson": _lines,
    "yaml": _yaml,
    "name": _names,
}


def yaml_of(plain: Any) -> str:
    """A thing of the protocol's JSON as YAML."""
    import yaml

    text: str = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=100)
    return text


def write_one(thing: Thing, shape: Shape[Thing], output: str) -> None:
    """Writes one thing: an object rather than a list of one."""
    if output == "json":
        click.echo(json.dumps(shape.plain(thing), ensure_ascii=False, indent=2))
    elif output == "yaml":
        click.echo(yaml_of(shape.plain(thing)), nl=False)
    else:
        write_all([thing], shape, output)
