"""`mds show`: one resource, as it is declared and how it is."""

from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import Reads, named

if TYPE_CHECKING:
    from control_units.client import Client
    from control_units.importers.facility.encoding import Plain


@click.command()
@click.argument("name", metavar="KIND/ID")
@click.option(
    "--configuration",
    is_flag=True,
    help="Of a control unit: what it shall use, its dataset, template and overrides merged.",
)
@pass_connection
def show(connection: Connection, name: str, *, configuration: bool) -> None:
    """Show a resource as it is declared, in the format of `mds export`; of a control unit or
    a unit server also what it last said of itself."""
    from control_units.importers.facility.yaml_writing import write_yaml

    collection, resource_id = named(name)
    if configuration and collection != "control_units":
        raise click.UsageError("--configuration is for control units.")
    found = connection.run(
        lambda client: (
            _configuration(client, name)
            if configuration
            else _described(client, collection, resource_id)
        )
    )
    click.echo(write_yaml(found), nl=False)


async def _configuration(client: "Client", name: str) -> "dict[str, Plain]":
    from mds.v1.control_unit_pb2 import GetConfigurationRequest

    from control_units.importers.facility.encoding import encode_message

    found = await client.control_units.GetConfiguration(GetConfigurationRequest(name=name))
    return encode_message(found)


async def _described(client: "Client", collection: str, resource_id: str) -> "dict[str, Plain]":
    from mds.v1.control_unit_pb2 import GetControlUnitStatusRequest
    from mds.v1.unit_server_pb2 import GetUnitServerStatusRequest

    from control_units.importers.facility.encoding import encode_message, encode_resource

    described = encode_resource(await Reads(collection).get(client, resource_id))
    if collection == "control_units":
        request = GetControlUnitStatusRequest(name=f"control_unit_statuses/{resource_id}")
        status = await client.control_units.GetControlUnitStatus(request)
        described["status"] = encode_message(status)
    elif collection == "unit_servers":
        of_server = GetUnitServerStatusRequest(name=f"unit_server_statuses/{resource_id}")
        said = await client.unit_servers.GetUnitServerStatus(of_server)
        described["status"] = encode_message(said)
    return described
