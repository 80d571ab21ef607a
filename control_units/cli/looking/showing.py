"""`mds show`: one resource, as it is declared and how it is."""

from typing import TYPE_CHECKING, Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import Reads, ResourceName, parts
from control_units.cli.options import as_of_option, show_output

if TYPE_CHECKING:
    from control_units.client import Client
    from control_units.importers.facility.encoding import Plain


@click.command(short_help="Show a resource as it is declared, and its status.")
@click.argument("name", metavar="KIND/ID|ID", type=ResourceName())
@click.option(
    "--configuration",
    is_flag=True,
    help="Of a control unit: what it shall use, its dataset, template and overrides merged.",
)
@click.option("--watch", is_flag=True, help="Go on showing it as it changes, until Ctrl-C.")
@as_of_option
@show_output("file")
@pass_connection
def show(
    connection: Connection,
    name: str,
    *,
    configuration: bool,
    watch: bool,
    as_of: str,
    output: str,
) -> None:
    """Show a resource as it is declared; of a control unit or a unit server also what it last
    said of itself, with its conditions. An id alone is that of a control unit, else of whatever
    else has it.

    Without -o it is in the format of `mds export`; json and yaml are as in REST.

    \b
      mds show DAFNE/PL/QSK/QSKPL106
      mds show unit_servers/SIMPS_0 --as-of 2h
      mds show SIMPS_0 -o json
      mds show DAFNE/PL/QSK/QSKPL106 --watch

    Exit codes: 0 shown, 1 there is none, 2 wrong use, 3 no server answers.
    """
    if configuration and parts(name)[0] != "control_units":
        raise click.UsageError("--configuration is for control units.")
    if watch and (as_of or configuration):
        raise click.UsageError(
            "--watch shows what is now: say neither --as-of nor --configuration."
        )
    if configuration:
        _write_configuration(connection, name, as_of, output)
        return
    from control_units.cli.looking.finding import found_thing

    kind, thing = connection.run(lambda client: found_thing(client, name, as_of=as_of))
    if watch:
        from control_units.cli.looking.watching import watch_one

        watch_one(connection, kind, parts(name)[1], write, output=output)
        return
    write(kind, thing, output)


def write(kind: str, thing: Any, output: str) -> None:
    """Writes a thing of a kind, as `things` reads it."""
    from control_units.cli.looking.shapes import STATUS_OF, shape_of
    from control_units.cli.output.writing import write_one
    from control_units.importers.facility.encoding import encode_message, encode_resource
    from control_units.importers.facility.yaml_writing import write_yaml

    if output != "file":
        write_one(thing, shape_of(kind), output)
        return
    declared, status = thing if kind in STATUS_OF else (thing, None)
    described = encode_resource(declared)
    if status is not None:
        described["status"] = encode_message(status)
    click.echo(write_yaml(described), nl=False)


def show_declared(connection: Connection, name: str, output: str = "file") -> None:
    """Shows one resource as it is declared."""
    collection, resource_id = parts(name)
    found = connection.run(lambda client: Reads(collection).get(client, resource_id))
    write(collection, found, output)


def _write_configuration(connection: Connection, name: str, as_of: str, output: str) -> None:
    from control_units.cli.output.writing import Shape, write_one
    from control_units.importers.facility.encoding import encode_message
    from control_units.importers.facility.yaml_writing import write_yaml

    found = connection.run(lambda client: _configuration(client, name, as_of))
    if output == "file":
        plain: dict[str, Plain] = encode_message(found)
        click.echo(write_yaml(plain), nl=False)
    elif output in {"json", "yaml", "ndjson"}:
        write_one(found, Shape((), lambda _: ()), output)
    else:
        raise click.UsageError("--configuration is written as file, json, ndjson or yaml.")


async def _configuration(client: "Client", name: str, as_of: str) -> Any:
    from mds.v1.control_unit_pb2 import GetConfigurationRequest

    request = GetConfigurationRequest(name=name, as_of=as_of)
    return await client.control_units.GetConfiguration(request)
