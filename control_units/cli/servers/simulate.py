"""`mds simulate`: one unit server with simulated control units."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mds.v1.control_unit_pb2 import ControlUnit as DeclaredUnit

    from control_units.client import Client
    from control_units.control_unit import ControlUnit

PAGE = 1000


@click.command()
@click.argument("unit_server")
@click.option("--address", metavar="HOST:PORT[,HOST:PORT…]", help="Metadata servers to ask.")
@click.option("--take-over", is_flag=True, help="End the session of a live holder.")
@click.option(
    "--on-lease-lost",
    type=click.Choice(["keep", "stop"]),
    default="keep",
    show_default=True,
    help="What running units do when no server has answered for a whole lease.",
)
def simulate(
    unit_server: str,
    *,
    address: str | None,
    take_over: bool,
    on_lease_lost: str,
) -> None:
    """Host all control units of UNIT_SERVER with simulated devices.

    Their classes are made from the templates: power supplies, cameras and beam-position
    monitors by the names of their classes, and a device without behaviour for any other.
    Ctrl-C or SIGTERM stops the units and says good-bye.

    \b
      mds simulate LINAC/MAGNETS
    """
    from control_units.logs import set_up_logs
    from control_units.running import run

    set_up_logs()
    classes = asyncio.run(fitted_classes(unit_server, address))
    run(
        *classes,
        unit_server=unit_server,
        address=address,
        take_over=take_over,
        on_lease_lost="stop" if on_lease_lost == "stop" else "keep",
        version="simulated",
        reason="mds simulate",
    )


async def fitted_classes(unit_server: str, address: str | None) -> list[type[ControlUnit]]:
    """A class for each template that the units of a unit server use.

    Raises:
        ClientError: no server tells.
    """
    from mds.v1.template_pb2 import GetTemplateRequest

    from control_units.client import Client
    from control_units.simulated.fitting import fitted_class

    async with Client(address, program="mds") as client:
        units = await declared_units(client, unit_server)
        names = sorted({(unit.template, unit.template_version) for unit in units})
        templates = await asyncio.gather(
            *(
                client.templates.GetTemplate(GetTemplateRequest(name=name, version=version))
                for name, version in names
            )
        )
    if not units:
        click.echo(f"{unit_server} has no control units.", err=True)
    by_class = groupby(
        sorted(templates, key=lambda each: (each.implementation, each.version)),
        key=lambda each: each.implementation,
    )
    return [
        fitted_class(versions, [each for each in units if each.template == versions[-1].name])
        for versions in (list(group) for _, group in by_class)
    ]


async def declared_units(client: Client, unit_server: str) -> list[DeclaredUnit]:
    """All units that are declared for a unit server."""
    from mds.v1.control_unit_pb2 import ListControlUnitsRequest

    request = ListControlUnitsRequest(unit_server=f"unit_servers/{unit_server}", page_size=PAGE)
    units: list[DeclaredUnit] = []
    while True:
        page = await client.control_units.ListControlUnits(request)
        units.extend(page.control_units)
        if not page.next_page_token:
            return units
        request.page_token = page.next_page_token
