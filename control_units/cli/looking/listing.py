"""`mds list`: what there is, and how it is."""

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import KINDS, IdOf, Reads, pages
from control_units.cli.options import as_of_option, output_option

if TYPE_CHECKING:
    from control_units.client import Client

Row: TypeAlias = tuple[str, ...]
Filters: TypeAlias = dict[str, str]

_UNIT_HEADERS = (
    "id",
    "state",
    "desired",
    "contact",
    "unit server",
    "template",
    "conditions",
    "message",
)
_SERVER_HEADERS = (
    "id",
    "contact",
    "host",
    "process",
    "since",
    "agent",
    "conditions",
    "description",
)


@click.command(name="list", short_help="List what is declared of a kind, and how it is.")
@click.argument("kind", type=click.Choice(KINDS), default="control_units")
@click.option("--prefix", default="", help="Only ids that begin with this text.")
@click.option("--template", type=IdOf("templates"), help="Only control units of this template.")
@click.option(
    "--unit-server", type=IdOf("unit_servers"), help="Only control units of this unit server."
)
@as_of_option
@output_option("text", "json")
@pass_connection
def list_(
    connection: Connection,
    kind: str,
    *,
    prefix: str,
    template: str | None,
    unit_server: str | None,
    as_of: str,
    output: str,
) -> None:
    """List what is declared of a KIND (control_units, if none is named): units and unit
    servers with what they last said of themselves, and with conditions that should be known:
    OutOfDate, for one, marks units on an older version of their template.

    \b
      mds list --prefix DAFNE/PL/
      mds list templates
      mds list --template driver::powersupply::SCPowerSupply --as-of 120
    """
    from control_units.cli.output.tables import write_table

    filters = {"id_prefix": prefix, "as_of": as_of}
    if template or unit_server:
        if kind != "control_units":
            raise click.UsageError("--template and --unit-server are for control_units.")
        filters |= {"template": template or "", "unit_server": unit_server or ""}
    headers, rows = connection.run(lambda client: _table(client, kind, filters))
    if output == "json":
        keys = [header.replace(" ", "_") for header in headers]
        told = [dict(zip(keys, row, strict=True)) for row in rows]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        write_table(headers, rows)


async def _table(client: "Client", kind: str, filters: Filters) -> tuple[Row, list[Row]]:
    if kind == "control_units":
        return _UNIT_HEADERS, await _unit_rows(client, filters)
    if kind == "unit_servers":
        return _SERVER_HEADERS, await _server_rows(client, filters)
    rows: list[Row] = [
        (resource.name.partition("/")[2], resource.description)
        async for resource in Reads(kind).all(client, **filters)
    ]
    return ("id", "description"), rows


async def _unit_rows(client: "Client", filters: Filters) -> list[Row]:
    from mds.v1.control_unit_pb2 import ControlUnitStatus, ListControlUnitStatusesRequest

    service = client.control_units
    listed = pages(
        service.ListControlUnitStatuses,
        ListControlUnitStatusesRequest(id_prefix=filters["id_prefix"], as_of=filters["as_of"]),
        "control_unit_statuses",
    )
    units, statuses = await asyncio.gather(
        _collected(Reads("control_units").all(client, **filters), "name"),
        _collected(listed, "control_unit"),
    )
    rows: list[Row] = []
    for name, unit in units.items():
        status = statuses.get(name, ControlUnitStatus())
        rows.append(
            (
                name.partition("/")[2],
                _state(status.state),
                _state(unit.desired_state),
                _contact(status.contact),
                unit.unit_server.partition("/")[2],
                unit.template.partition("/")[2],
                ", ".join(condition.type for condition in status.conditions),
                status.message,
            )
        )
    return rows


async def _server_rows(client: "Client", filters: Filters) -> list[Row]:
    from mds.v1.unit_server_pb2 import ListUnitServerStatusesRequest, UnitServerStatus

    from control_units.cli.times import shown

    service = client.unit_servers
    listed = pages(
        service.ListUnitServerStatuses,
        ListUnitServerStatusesRequest(id_prefix=filters["id_prefix"], as_of=filters["as_of"]),
        "unit_server_statuses",
    )
    servers, statuses = await asyncio.gather(
        _collected(Reads("unit_servers").all(client, **filters), "name"),
        _collected(listed, "unit_server"),
    )
    rows: list[Row] = []
    for name, server in servers.items():
        status = statuses.get(name, UnitServerStatus())
        rows.append(
            (
                name.partition("/")[2],
                _contact(status.contact),
                status.host,
                str(status.pid or ""),
                shown(status.start_time),
                server.launch.agent.partition("/")[2],
                ", ".join(condition.type for condition in status.conditions),
                server.description,
            )
        )
    return rows


async def _collected(things: Any, key: str) -> dict[str, Any]:
    """Things by the name in one of their fields, in their order."""
    return {getattr(thing, key): thing async for thing in things}


def _state(state: Any) -> str:
    from mds.v1.state_pb2 import State

    return State.Name(state).removeprefix("STATE_") if state else ""


def _contact(contact: Any) -> str:
    from mds.v1.state_pb2 import Contact

    return Contact.Name(contact).removeprefix("CONTACT_") if contact else ""
