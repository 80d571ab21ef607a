"""`mds campaign`: aims that take many operations, and how far they are."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf, Reads, pages, parts
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
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text")
@pass_connection
def list_(connection: Connection, *, is_open: bool, output: str) -> None:
    """List campaigns with their sums: how many units they have reached, of how many."""
    found = connection.run(_all)
    if is_open:
        found = [each for each in found if not each[0].closed]
    _write(found, output)
    if not found:
        click.echo("There is no campaign.", err=True)


@campaign.command()
@_NAME
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text")
@pass_connection
def show(connection: Connection, name: str, *, output: str) -> None:
    """Show one campaign with its sums; its operations: mds operation list --campaign CAMPAIGN."""
    _write(connection.run(lambda client: _some(client, name)), output)


@campaign.command()
@_NAME
@_REASON
@pass_connection
def close(connection: Connection, name: str, *, reason: str) -> None:
    """Take no more orders for a campaign; those that were given go on."""
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


async def _all(client: "Client") -> "list[_Summed]":
    campaigns = {each.name: each async for each in Reads("campaigns").all(client)}
    return await _with_sums(client, campaigns, [])


async def _some(client: "Client", name: str) -> "list[_Summed]":
    found = await Reads("campaigns").get(client, parts(name)[1])
    return await _with_sums(client, {name: found}, [name])


async def _with_sums(
    client: "Client", campaigns: "dict[str, Campaign]", names: list[str]
) -> "list[_Summed]":
    from mds.v1.campaign_pb2 import ListCampaignSumsRequest

    request = ListCampaignSumsRequest(campaigns=names)
    listed = pages(client.campaigns.ListCampaignSums, request, "sums")
    return [(campaigns[sums.campaign], sums) async for sums in listed if sums.campaign in campaigns]


def _write(found: "list[_Summed]", output: str) -> None:
    from control_units.cli.output.tables import write_table

    if output == "json":
        click.echo(json.dumps([_fields(*each) for each in found], ensure_ascii=False, indent=2))
    elif found:
        write_table(_HEADERS, [_row(*each) for each in found])


def _fields(campaign: "Campaign", sums: "CampaignSums") -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    def told(message: Any) -> Any:
        return MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    return {"campaign": told(campaign), "sums": told(sums)}


def _row(campaign: "Campaign", sums: "CampaignSums") -> tuple[str, ...]:
    from control_units.cli.times import shown

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
