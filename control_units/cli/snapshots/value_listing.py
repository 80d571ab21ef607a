"""Live values, for people and for scripts."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import click
from google.protobuf.duration_pb2 import Duration
from mds.v1.live_values_pb2 import ListLiveValuesRequest, LiveValue, UnitLiveValues
from mds.v1.state_pb2 import Contact

from control_units.cli.connection import Connection
from control_units.cli.operations.words import bare, seconds_text
from control_units.cli.orders.patterns import selection_by
from control_units.cli.output.writing import Shape, write_all
from control_units.cli.snapshots.report import cut
from control_units.client import Client
from control_units.client.words import word_of

_PATIENCE_S = 120.0
_HEADERS = ("unit", "attribute", "value", "set", "contact")


def list_values(connection: Connection, patterns: Sequence[str], options: dict[str, Any]) -> None:
    """Writes the values of the units that are selected.

    Raises:
        click.UsageError: nothing was selected.
    """
    request = ListLiveValuesRequest(selection=selection_by(patterns, options))

    async def work(client: Client) -> list[UnitLiveValues]:
        call = client.live_values.ListLiveValues(request, timeout=_PATIENCE_S)
        return [unit async for part in call for unit in part.units]

    units = connection.run(work)
    _write(units, options["attributes"], options["output"])
    if silent := [each for each in units if not each.has_reported]:
        names = ", ".join(bare(each.name) for each in silent[:3])
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        click.echo(f"No values were ever reported by {names}{more}.", err=True)


def _write(units: Sequence[UnitLiveValues], wanted: Collection[str], output: str) -> None:
    """A line for each value; what programs read is an object for each unit."""
    if output in {"table", "wide", "csv"}:
        rows = [row for each in units for row in _rows(each, wanted)]
        of_values = Shape(_HEADERS, lambda row: row, elastic=("value",))
        if rows or output == "csv":
            write_all(rows, of_values, output)
        return
    for each in units:
        kept = _wanted(each, wanted)
        del each.values[:]
        each.values.extend(kept)
    write_all(units, Shape(_HEADERS, lambda _: ()), output)


def _rows(unit: UnitLiveValues, wanted: Collection[str]) -> Iterator[tuple[str, ...]]:
    for value in _wanted(unit, wanted):
        yield (
            bare(unit.name),
            value.attribute,
            cut(value.value),
            f"{seconds_text(_seconds(value.age))} ago",
            _contact(unit),
        )


def _wanted(unit: UnitLiveValues, wanted: Collection[str]) -> list[LiveValue]:
    return [each for each in unit.values if not wanted or each.attribute in wanted]


def _contact(unit: UnitLiveValues) -> str:
    return word_of(Contact, unit.contact)


def _seconds(age: Duration) -> float:
    return age.ToMicroseconds() / 1e6
