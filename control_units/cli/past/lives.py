"""`mds lives`: when a control unit lived, where, through which states, and how it ended."""

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.looking.asked import asked_of, asked_options
from control_units.cli.options import show_output
from control_units.cli.times import Moment
from control_units.client.words import word_of

if TYPE_CHECKING:
    from mds.v1.instantiation_pb2 import Instantiation, ListInstantiationsRequest

    from control_units.client import Client

_PAGE = 1000
_HEADERS = (
    "began",
    "ended",
    "lasted",
    "how",
    "unit server",
    "host",
    "process",
    "version",
    "template",
    "configuration",
    "states",
)


@click.command(short_help="Show the lives of a control unit.")
@click.argument("control_unit", type=IdOf("control_units"))
@click.option(
    "--since", type=Moment(), help="Only lives that had not ended before: 30d, 2024-05-31."
)
@click.option("--until", type=Moment(), help="Only lives that had begun by then.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    help="At most so many.",
)
@asked_options("instantiation", "end_reason=LEASE_ENDED host:node*")
@show_output("text")
@pass_connection
def lives(
    connection: Connection,
    control_unit: str,
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    output: str,
    **asked: str,
) -> None:
    """Show the lives of CONTROL_UNIT (its id), newest first: each begins when a process has
    built the unit, and ends with it.

    \b
      mds lives DAFNE/PL/QSK/QSKPL106 --since 30d
      mds lives DAFNE/PL/QSK/QSKPL106 --filter 'end_reason=LEASE_ENDED' --sort end,desc
      mds lives DAFNE/PL/QSK/QSKPL106 -o csv

    Exit codes: 0 shown, 1 there is no such unit, 3 no server answers.
    """
    from mds.v1.instantiation_pb2 import ListInstantiationsRequest

    request = ListInstantiationsRequest(control_unit=control_unit, **asked_of(asked))
    if since is not None:
        request.since.FromDatetime(since)
    if until is not None:
        request.until.FromDatetime(until)
    found = connection.run(lambda client: _read(client, request, limit))
    _write(control_unit, found, output)


async def _read(
    client: "Client", request: "ListInstantiationsRequest", limit: int
) -> "list[Instantiation]":
    found: list[Instantiation] = []
    while len(found) < limit:
        request.page_size = min(_PAGE, limit - len(found))
        page = await client.instantiations.ListInstantiations(request)
        found.extend(page.instantiations)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    return found


def _write(control_unit: str, found: "list[Instantiation]", output: str) -> None:
    from control_units.cli.output.writing import Shape, write_all

    is_block = output == "text" and sys.stdout.isatty()
    if is_block:
        click.echo("\n".join(line for life in found for line in _block(life)))
    elif found or output not in {"text", "table"}:
        shape = Shape(_HEADERS, _row, elastic=("states", "configuration"))
        write_all(found, shape, "table" if output == "text" else output)
    if not found:
        click.echo(f"{control_unit.partition('/')[2]} has no lives in this time.", err=True)


def _row(life: "Instantiation") -> tuple[str, ...]:
    """For programs: one line a life."""
    from control_units.cli.times import duration, shown

    ended = life.HasField("end_time")
    return (
        shown(life.begin_time),
        shown(life.end_time) if ended else "still lives",
        duration(life.begin_time, life.end_time) if ended else "",
        _how(life) if ended else "",
        life.unit_server.partition("/")[2],
        life.host,
        str(life.pid),
        life.version,
        _template(life),
        life.fingerprint,
        " → ".join(f"{time} {state}{message}" for time, state, message in _states(life)),
    )


def _block(life: "Instantiation") -> Iterator[str]:
    """For people: a life over some lines, its states below each other."""
    from control_units.cli.times import duration, shown

    end = "still lives"
    if life.HasField("end_time"):
        lasted = duration(life.begin_time, life.end_time)
        end = f"{shown(life.end_time)}, after {lasted}: {_how(life)}"
    yield click.style(f"{shown(life.begin_time)} to {end}", bold=True)
    where = f"{life.unit_server.partition('/')[2]} on {life.host}, process {life.pid}"
    yield f"  in {where}{f', version {life.version}' if life.version else ''}"
    applied = life.fingerprint[:19] or "none applied"
    yield f"  {_template(life)}, configuration {applied}"
    for time, state, message in _states(life):
        yield f"    {time} {state}{message}"


def _how(life: "Instantiation") -> str:
    from mds.v1.unit_server_pb2 import EndReason

    return word_of(EndReason, life.end_reason).replace("_", " ").lower()


def _template(life: "Instantiation") -> str:
    version = f" version {life.template_version}" if life.template_version else ""
    return f"{life.template.partition('/')[2]}{version}"


def _states(life: "Instantiation") -> Iterator[tuple[str, str, str]]:
    """Time, with its day where that is not the one before; state; and why."""
    from mds.v1.state_pb2 import State

    from control_units.cli.times import shown

    day = shown(life.begin_time)[:10]
    for change in life.states:
        time = shown(change.time)
        said = time[11:] if time[:10] == day else time
        day = time[:10]
        message = f" ({change.message})" if change.message else ""
        yield said, word_of(State, change.state), message
