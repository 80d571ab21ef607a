"""`mds campaign`: aims that take many operations, and how far they are."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf, Reads, pages, parts
from control_units.cli.looking.asked import EVERYTHING, Asked, asked_of, asked_options
from control_units.cli.options import list_output
from control_units.cli.times import Ahead

if TYPE_CHECKING:
    from mds.v1.campaign_pb2 import Campaign, CampaignSums

    from control_units.client import Client

_HEADERS = (
    "id",
    "reached",
    "of",
    "under way",
    "failed",
    "retried",
    "left out",
    "operations",
    "due",
    "what for",
)
_NAME = click.argument("name", metavar="CAMPAIGN", type=IdOf("campaigns"))
_REASON = click.option("--reason", default="", help="Why, for the history.")


@click.group(short_help="Follow an aim that takes many operations.")
def campaign() -> None:
    """Campaigns: aims that take many operations, perhaps for days. Orders are given for one by
    `--campaign CAMPAIGN`, and its sums tell for how many units it is reached."""


@campaign.command()
@_NAME
@click.option("--target", type=click.IntRange(1), metavar="UNITS", help="How many units.")
@click.option("--due", type=Ahead(), help="By when: 12h, '2026-11-30 18:00'.")
@click.option("--description", required=True, help="What it is for.")
@_REASON
@pass_connection
def create(
    connection: Connection,
    name: str,
    *,
    target: int | None,
    due: datetime | None,
    description: str,
    reason: str,
) -> None:
    """Begin a campaign.

    \b
      mds campaign create degauss --target 200 --due 72h --description "before the run"
      mds start --zone RING --campaign degauss

    Exit codes: 0 created, 1 refused, 3 no server answers.
    """
    from mds.v1.campaign_pb2 import Campaign, CreateCampaignRequest

    wanted = Campaign(name=name, description=description, target_units=target or 0)
    if due is not None:
        wanted.due_time.FromDatetime(due)
    request = CreateCampaignRequest(campaign=wanted, reason=reason)

    async def call(client: "Client") -> "Campaign":
        return await client.campaigns.CreateCampaign(request)

    bare = parts(connection.run(call).name)[1]
    click.echo(f"{bare} has begun. Give orders for it with: --campaign {bare}")


@campaign.command("list")
@click.option("--open", "is_open", is_flag=True, help="Only those that take orders.")
@asked_options("campaign_sums", "failed>0")
@list_output
@pass_connection
def list_(connection: Connection, *, is_open: bool, output: str, **asked: str) -> None:
    """List campaigns with their sums: how many units they have reached, of how many.

    \b
      mds campaign list --open
      mds campaign list --filter 'failed>0' --sort failed,desc
    """
    found = connection.run(lambda client: _all(client, asked_of(asked)))
    if is_open:
        found = [each for each in found if not each[0].closed]
    _write(found, output)
    if not found:
        click.echo("There is no campaign.", err=True)


@campaign.command()
@_NAME
@list_output
@pass_connection
def show(connection: Connection, name: str, *, output: str) -> None:
    """Show one campaign with its sums; its operations: mds operation list --campaign CAMPAIGN.

    \b
      mds campaign show degauss
    """
    _write(connection.run(lambda client: _some(client, name)), output)


@campaign.command()
@_NAME
@_REASON
@pass_connection
def close(connection: Connection, name: str, *, reason: str) -> None:
    """Take no more orders for a campaign; those that were given go on.

    \b
      mds campaign close degauss --reason "the run begins"
    """
    from google.protobuf.field_mask_pb2 import FieldMask
    from mds.v1.campaign_pb2 import Campaign, UpdateCampaignRequest

    request = UpdateCampaignRequest(
        campaign=Campaign(name=name, etag="*", closed=True),
        update_mask=FieldMask(paths=["closed"]),
        reason=reason,
    )

    async def call(client: "Client") -> "Campaign":
        return await client.campaigns.UpdateCampaign(request)

    click.echo(f"{parts(connection.run(call).name)[1]} is closed.")


_Summed = tuple["Campaign", "CampaignSums"]


async def _all(client: "Client", asked: Asked) -> "list[_Summed]":
    campaigns = {each.name: each async for each in Reads("campaigns").all(client)}
    return await _with_sums(client, campaigns, [], asked)


async def _some(client: "Client", name: str) -> "list[_Summed]":
    found = await Reads("campaigns").get(client, parts(name)[1])
    return await _with_sums(client, {name: found}, [name])


async def _with_sums(
    client: "Client",
    campaigns: "dict[str, Campaign]",
    names: list[str],
    asked: Asked = EVERYTHING,
) -> "list[_Summed]":
    from mds.v1.campaign_pb2 import ListCampaignSumsRequest

    request = ListCampaignSumsRequest(campaigns=names, **asked)
    listed = pages(client.campaigns.ListCampaignSums, request, "sums")
    return [(campaigns[sums.campaign], sums) async for sums in listed if sums.campaign in campaigns]


def _write(found: "list[_Summed]", output: str) -> None:
    from control_units.cli.output.writing import Shape, plain_of, write_all

    def plain(each: "_Summed") -> dict[str, Any]:
        return {**plain_of(each[0]), "sums": plain_of(each[1])}

    if found or output != "table":
        shape = Shape(
            _HEADERS, _row, elastic=("what for",), plain=plain, name=lambda each: each[0].name
        )
        write_all(found, shape, output)


def _row(each: "_Summed") -> tuple[str, ...]:
    from control_units.cli.times import shown

    campaign, sums = each
    numbers = (sums.under_way, sums.failed, sums.retried, sums.left_out, sums.operations)
    return (
        parts(campaign.name)[1],
        str(sums.reached),
        str(campaign.target_units or sums.requested),
        *map(str, numbers),
        "closed" if campaign.closed else _due(campaign, shown(campaign.due_time)),
        campaign.description,
    )


def _due(campaign: "Campaign", moment: str) -> str:
    if not campaign.HasField("due_time"):
        return ""
    is_late = campaign.due_time.ToDatetime(UTC) < datetime.now(UTC)
    return f"{moment}, late" if is_late else moment
