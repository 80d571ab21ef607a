"""`mds diff`: what differs between two moments."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import KINDS, number_of
from control_units.cli.moments import Point, PointType
from control_units.cli.options import output_option
from control_units.cli.selecting import Pair

if TYPE_CHECKING:
    from mds.v1.history_pb2 import CompareRequest, CompareResponse, Difference
    from mds.v1.kind_pb2 import Kind

    from control_units.client import Client

DIFFERS = 1
_FILTERS = ("prefix", "zone", "template", "unit_server", "kind")
_PATIENCE_S = 120.0


@click.command(short_help="Show what differs between two moments.")
@click.argument("earlier", type=PointType(), metavar="[NAME]@MOMENT")
@click.argument("later", type=PointType(), metavar="[[NAME]@MOMENT]", required=False)
@click.option(
    "--select",
    "filters",
    type=Pair(),
    multiple=True,
    metavar="WHAT=VALUE",
    help="Only these: prefix=, zone=, template=, unit_server=, kind= (may be given several times).",
)
@click.option("--exit-code", is_flag=True, help="End with 1 where something differs.")
@output_option("text", "json")
@pass_connection
def diff(
    connection: Connection,
    earlier: Point,
    later: Point | None,
    *,
    filters: Sequence[tuple[str, str]],
    exit_code: bool,
    output: str,
) -> None:
    """Show what differs between two moments, of a resource or of all that are selected. A
    MOMENT is a revision (120), a local time ('2026-11-15 03:12'), how long ago (2h), or now;
    the second one, if it is left out, is now.

    \b
      mds diff DAFNE/PL/QSK/QSKPL106@120
      mds diff DAFNE/PL/QSK/QSKPL106@120 DAFNE/PL/QSK/QSKPL106@135
      mds diff @'2026-11-15 03:12' @now --select zone=DAFNE/PL

    Exit codes: 0 shown; 1 refused or, with --exit-code, something differs; 2 wrong use; 3 no
    server answers.
    """
    from control_units.cli.past.compare_report import differences_json, differences_text

    request = compare_request(earlier, later or Point(earlier.name, ""), filters)
    found = connection.run(lambda client: _compared(client, request), timeout_s=_PATIENCE_S)
    if output == "json":
        click.echo(json.dumps(differences_json(*found), ensure_ascii=False, indent=2))
    else:
        click.echo(differences_text(*found))
    if exit_code and found[1]:
        raise click.exceptions.Exit(DIFFERS)


def compare_request(
    earlier: Point, later: Point, filters: Sequence[tuple[str, str]]
) -> "CompareRequest":
    """What to ask.

    Raises:
        click.UsageError: the two are not of one thing, or a filter is not known.
    """
    from mds.v1.history_pb2 import CompareRequest

    if later.name not in {"", earlier.name}:
        raise click.UsageError(
            f"A comparison is of one thing at two moments; these are {earlier.name!r} and "
            f"{later.name!r}. After a rename its history is found under either name."
        )
    if earlier.name and filters:
        raise click.UsageError(
            f"--select is for comparisons of many; this one is of {earlier.name}."
        )
    if not earlier.as_of:
        raise click.UsageError("The earlier of two moments cannot be now.")
    request = CompareRequest(to=later.as_of, name=earlier.name, **_fields(filters))
    setattr(request, "from", earlier.as_of)
    return request


def _fields(filters: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Fields of the request by what people select by.

    Raises:
        click.UsageError: nobody knows it, or it is said twice.
    """
    said: dict[str, list[str]] = {}
    for what, value in filters:
        if what not in _FILTERS or (what in said and what != "kind"):
            known = ", ".join(f"{each}=" for each in _FILTERS)
            raise click.UsageError(
                f"--select {what}={value} cannot be; right would be {known}each once."
            )
        said.setdefault(what, []).append(value)
    one = {what: values[0] for what, values in said.items()}
    prefix = one.get("prefix", "")
    if "zone" in one:
        below = f"{one['zone'].rstrip('/')}/"
        if prefix and not prefix.startswith(below):
            raise click.UsageError(f"No id begins with {prefix!r} and is in {one['zone']!r}.")
        prefix = prefix or below
    return {
        "id_prefix": prefix,
        "kinds": [_kind(word) for word in said.get("kind", ())],
        "template": _named("templates", one.get("template")),
        "unit_server": _named("unit_servers", one.get("unit_server")),
    }


def _named(collection: str, resource_id: str | None) -> str:
    return f"{collection}/{resource_id.removeprefix(f'{collection}/')}" if resource_id else ""


def _kind(word: str) -> "Kind.ValueType":
    if word not in KINDS:
        raise click.UsageError(f"{word!r} is no kind; right would be {', '.join(KINDS)}.")
    return number_of(word)


async def _compared(
    client: "Client", request: "CompareRequest"
) -> "tuple[CompareResponse | None, list[Difference]]":
    """The first response, which names the moments, and all that differs."""
    first: CompareResponse | None = None
    found: list[Difference] = []
    async for response in client.history.Compare(request, timeout=_PATIENCE_S):
        first = first or response
        found.extend(response.differences)
    return first, found
