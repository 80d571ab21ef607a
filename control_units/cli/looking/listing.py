"""`mds list`: what there is, and how it is."""

from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import LISTED, IdOf, KindName
from control_units.cli.looking.asked import order_of
from control_units.cli.looking.filters import FilterText, write_keys
from control_units.cli.options import as_of_option, list_output

if TYPE_CHECKING:
    from control_units.cli.looking.watching import Reading


@click.command(name="list", short_help="List what there is of a kind, and how it is.")
@click.argument("kind", type=KindName(LISTED), default="control_units", metavar="[KIND]")
@click.option("--prefix", default="", help="Only ids that begin with this text.")
@click.option("--template", type=IdOf("templates"), help="Only control units of this template.")
@click.option(
    "--unit-server", type=IdOf("unit_servers"), help="Only control units of this unit server."
)
@click.option(
    "--filter", type=FilterText(), default="",
    help="Only what passes: 'zone=DAFNE/PL -label:archived'.",
)  # fmt: skip
@click.option("--filter-keys", is_flag=True, help="List what filters of this KIND can ask for.")
@click.option("--sort", default="", metavar="KEY[,desc]", help="By this key of filters.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--watch", is_flag=True, help="Go on showing it as it changes, until Ctrl-C.")
@as_of_option
@list_output
@pass_connection
def list_(
    connection: Connection,
    kind: str,
    *,
    prefix: str,
    template: str | None,
    unit_server: str | None,
    filter: str,
    filter_keys: bool,
    sort: str,
    limit: int | None,
    watch: bool,
    as_of: str,
    output: str,
) -> None:
    """List what there is of a KIND (control_units, if none is named): units and unit
    servers with what they last said of themselves, and with conditions that should be known:
    OutOfDate, for one, marks units on an older version of their template.

    A KIND is a noun, in any spelling: control-units, unit, cu; templates; us for unit servers;
    operations; change-sets; sightings. A wrong one is answered with all of them.

    \b
      mds list --prefix DAFNE/PL/
      mds list cu --filter 'zone=DAFNE label:fast' -o wide
      mds list cu --filter-keys
      mds list templates -o csv
      mds list us --watch
      mds list --template driver::powersupply::SCPowerSupply --as-of 120

    Exit codes: 0 listed, 1 refused, 2 wrong use, 3 no server answers.
    """
    if filter_keys:
        write_keys(connection, kind, output)
        return
    if (template or unit_server) and kind != "control_units":
        raise click.UsageError("--template and --unit-server are for control_units.")
    asked = {
        "id_prefix": prefix,
        "as_of": as_of,
        "template": template or "",
        "unit_server": unit_server or "",
        "filter": filter,
        "order_by": order_of(sort),
    }
    show = _watch if watch else _write
    show(connection, kind, asked, limit=limit, output=output)


def _write(
    connection: Connection, kind: str, asked: dict[str, str], *, limit: int | None, output: str
) -> None:
    from control_units.cli.looking.reading import things
    from control_units.cli.looking.shapes import shape_of
    from control_units.cli.output.writing import write_all

    found = connection.each(lambda client: things(client, kind, asked, limit=limit), limit=limit)
    write_all(found, shape_of(kind), output)


def _watch(
    connection: Connection, kind: str, asked: dict[str, str], *, limit: int | None, output: str
) -> None:
    from control_units.cli.looking.reading import things
    from control_units.cli.looking.watching import watch_list

    if asked["as_of"]:
        raise click.UsageError("What was does not change: say --watch or --as-of.")
    reading: Reading = lambda client: things(client, kind, asked)  # noqa: E731 - typed
    watch_list(connection, kind, reading, prefix=asked["id_prefix"], limit=limit, output=output)
