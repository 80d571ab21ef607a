"""`mds show`: one resource, as it is declared and how it is."""

import json
from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import Reads, ResourceName, parts
from control_units.cli.options import as_of_option, output_option

if TYPE_CHECKING:
    from control_units.client import Client
    from control_units.importers.facility.encoding import Plain


@click.command(short_help="Show a resource as it is declared, and its status.")
@click.argument("name", metavar="KIND/ID|CONTROL_UNIT", type=ResourceName())
@click.option(
    "--configuration",
    is_flag=True,
    help="Of a control unit: what it shall use, its dataset, template and overrides merged.",
)
@as_of_option
@output_option("yaml", "json")
@pass_connection
def show(
    connection: Connection, name: str, *, configuration: bool, as_of: str, output: str
) -> None:
    """Show a resource as it is declared, in the format of `mds export`; of a control unit or
    a unit server also what it last said of itself, with its conditions.

    \b
      mds show DAFNE/PL/QSK/QSKPL106
      mds show unit_servers/SIMPS_0 --as-of 2h
    """
    from control_units.importers.facility.yaml_writing import write_yaml

    collection, resource_id = parts(name)
    if configuration and collection != "control_units":
        raise click.UsageError("--configuration is for control units.")
    found = connection.run(
        lambda client: (
            _configuration(client, name, as_of)
            if configuration
            else _described(client, collection, resource_id, as_of=as_of)
        )
    )
    if output == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        click.echo(write_yaml(found), nl=False)


def show_declared(connection: Connection, name: str) -> None:
    """Shows one resource as it is declared."""
    from control_units.importers.facility.encoding import encode_resource
    from control_units.importers.facility.yaml_writing import write_yaml

    collection, resource_id = parts(name)
    found = connection.run(lambda client: Reads(collection).get(client, resource_id))
    click.echo(write_yaml(encode_resource(found)), nl=False)


async def _configuration(client: "Client", name: str, as_of: str) -> "dict[str, Plain]":
    from mds.v1.control_unit_pb2 import GetConfigurationRequest

    from control_units.importers.facility.encoding import encode_message

    request = GetConfigurationRequest(name=name, as_of=as_of)
    found = await client.control_units.GetConfiguration(request)
    return encode_message(found)


async def _described(
    client: "Client", collection: str, resource_id: str, *, as_of: str
) -> "dict[str, Plain]":
    from mds.v1.control_unit_pb2 import GetControlUnitStatusRequest
    from mds.v1.unit_server_pb2 import GetUnitServerStatusRequest

    from control_units.importers.facility.encoding import encode_message, encode_resource

    described = encode_resource(await Reads(collection).get(client, resource_id, as_of=as_of))
    if collection == "control_units":
        name = f"control_unit_statuses/{resource_id}"
        request = GetControlUnitStatusRequest(name=name, as_of=as_of)
        status = await client.control_units.GetControlUnitStatus(request)
        described["status"] = encode_message(status)
    elif collection == "unit_servers":
        name = f"unit_server_statuses/{resource_id}"
        of_server = GetUnitServerStatusRequest(name=name, as_of=as_of)
        said = await client.unit_servers.GetUnitServerStatus(of_server)
        described["status"] = encode_message(said)
    return described
