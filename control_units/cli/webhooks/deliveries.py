"""What webhooks have sent, and send once more: `mds webhook test|redeliver|rewind|deliveries`."""

from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf, pages, parts
from control_units.cli.looking.asked import asked_of, asked_options
from control_units.cli.options import list_output, show_output
from control_units.cli.output.writing import Shape, write_all, write_one
from control_units.cli.times import AsOf, shown
from control_units.client.words import word_of

if TYPE_CHECKING:
    from mds.v1.webhook_delivery_pb2 import WebhookDelivery

    from control_units.client import Client

_HEADERS = (
    "id", "what", "state", "events", "revision", "tries", "last try", "status", "took", "error"
)  # fmt: skip
_NAME = click.argument("name", metavar="WEBHOOK", type=IdOf("webhooks"))


@click.command()
@_NAME
@show_output()
@pass_connection
def test(connection: Connection, name: str, *, output: str) -> None:
    """Send a ping now, and tell what came of it.

    \b
      mds webhook test logbook

    Exit codes: 0 it has arrived, 1 it has not, 3 no server answers.
    """
    from mds.v1.webhook_pb2 import TestWebhookRequest

    request = TestWebhookRequest(name=name)

    async def call(client: "Client") -> "WebhookDelivery":
        return await client.webhooks.TestWebhook(request)

    _tell(connection.run(call), output)


@click.command()
@_NAME
@click.argument("delivery")
@show_output()
@pass_connection
def redeliver(connection: Connection, name: str, delivery: str, *, output: str) -> None:
    """Send what DELIVERY had once more, now, under a new id. See `mds webhook deliveries`.

    \b
      mds webhook redeliver logbook msg_5f3a_1_17

    Exit codes: 0 it has arrived, 1 it has not, 3 no server answers.
    """
    from mds.v1.webhook_pb2 import RedeliverWebhookRequest

    request = RedeliverWebhookRequest(name=name, delivery=delivery)

    async def call(client: "Client") -> "WebhookDelivery":
        return await client.webhooks.RedeliverWebhook(request)

    _tell(connection.run(call), output)


@click.command()
@_NAME
@click.argument("moment", type=AsOf())
@pass_connection
def rewind(connection: Connection, name: str, moment: str) -> None:
    """Send again all that came after MOMENT: a revision (120), a time ('2026-11-15 03:12'), or how
    long ago (2h). With `now`, what has not been sent yet is left out.

    \b
      mds webhook rewind logbook 2h
      mds webhook rewind logbook now

    Exit codes: 0 it goes on there, 1 refused, 3 no server answers.
    """
    from mds.v1.webhook_pb2 import RewindWebhookRequest

    request = RewindWebhookRequest(name=name, after=moment)

    async def call(client: "Client") -> int:
        return (await client.webhooks.RewindWebhook(request)).position.revision

    revision = connection.run(call)
    click.echo(f"{parts(name)[1]} goes on after revision {revision}.")


@click.command()
@_NAME
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    help="At most so many.",
)
@asked_options("webhook_delivery", "state=FAILED status>=500")
@list_output
@pass_connection
def deliveries(connection: Connection, name: str, *, limit: int, output: str, **asked: str) -> None:
    """List the deliveries of a webhook, the newest first unless --sort says otherwise.

    \b
      mds webhook deliveries logbook --limit 100
      mds webhook deliveries logbook --filter 'state=FAILED status>=500' --sort duration_us,desc
    """
    from mds.v1.webhook_pb2 import ListWebhookDeliveriesRequest

    request = ListWebhookDeliveriesRequest(
        webhook=name, page_size=min(limit, 1000), **asked_of(asked)
    )

    async def call(client: "Client") -> "list[WebhookDelivery]":
        found: list[WebhookDelivery] = []
        method = client.webhooks.ListWebhookDeliveries
        async for each in pages(method, request, "webhook_deliveries"):
            found.append(each)
            if len(found) == limit:
                break
        return found

    found = connection.run(call)
    if found or output not in {"table", "wide"}:
        write_all(found, _SHAPE, output)
    else:
        nothing = "nothing of this" if any(asked.values()) else "nothing yet"
        click.echo(f"It has sent {nothing}.", err=True)


def _tell(delivery: "WebhookDelivery", output: str) -> None:
    """
    Raises:
        click.exceptions.Exit: it has not arrived.
    """
    write_one(delivery, _SHAPE, output)
    if delivery.error:
        raise click.exceptions.Exit(1)


def _row(each: "WebhookDelivery") -> tuple[str, ...]:
    from mds.v1.webhook_delivery_pb2 import WebhookDeliveryState, WebhookDeliveryType

    what = word_of(WebhookDeliveryType, each.type)
    state = word_of(WebhookDeliveryState, each.state)
    return (
        each.id,
        what.lower(),
        state,
        str(each.events),
        str(each.position.revision),
        str(each.attempts),
        shown(each.attempt_time),
        str(each.http_status or ""),
        f"{each.duration.ToMilliseconds()} ms",
        each.error,
    )


def _id(each: "WebhookDelivery") -> str:
    return each.id


_SHAPE: "Shape[WebhookDelivery]" = Shape(_HEADERS, _row, elastic=("error",), name=_id)
