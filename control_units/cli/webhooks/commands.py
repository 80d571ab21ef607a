"""`mds webhook`: has changes sent to URLs, and shows what becomes of them."""

from typing import TYPE_CHECKING, Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf, parts
from control_units.cli.options import list_output, reason_option, show_output
from control_units.cli.output.writing import write_all, write_one
from control_units.cli.webhooks.deliveries import deliveries, redeliver, rewind, test
from control_units.cli.webhooks.secret import a_new_secret, secret_from
from control_units.cli.webhooks.standing import STANDING, all_standings, standing

if TYPE_CHECKING:
    from mds.v1.webhook_pb2 import CreateWebhookRequest, UpdateWebhookRequest

    from control_units.client import Client

_NAME = click.argument("name", metavar="WEBHOOK", type=IdOf("webhooks"))
_KINDS = (
    "template", "unit_server", "control_unit", "agent", "execution_unit", "variable", "script",
    "snapshot", "policy", "maintenance", "machine_mode", "guard", "unit_list", "campaign",
    "webhook", "control_unit_status", "unit_server_status", "operation",
)  # fmt: skip


@click.group(short_help="Tell other programs what changes.")
def webhook() -> None:
    """Webhooks: changes are sent to a URL as they happen, in order, at least once, signed."""


@webhook.command()
@_NAME
@click.argument("url")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS, case_sensitive=False),
    help="Only changes of this kind; may be given several times.",
)
@click.option("--prefix", default="", help="Only ids that begin so: DAFNE/PL/")
@click.option("--filter", default="", help="Only what passes this filter, of one kind.")
@click.option("--names-only", is_flag=True, help="Send names, not whole resources.")
@click.option("--description", default="", help="What it is for.")
@click.option("--unsigned", is_flag=True, help="Make no secret: nothing is signed.")
@reason_option
@pass_connection
def add(connection: Connection, /, name: str, url: str, **options: Any) -> None:
    """Have changes sent to URL, from now on. The secret that they are signed with is made here,
    and told this once; before the webhook has it, nothing is sent.

    \b
      mds webhook add logbook https://logbook.example/mds --kind control_unit --prefix DAFNE/

    Exit codes: 0 added, 1 refused, 3 no server answers.
    """
    from mds.v1.kind_pb2 import Kind
    from mds.v1.view_pb2 import View
    from mds.v1.webhook_pb2 import CreateWebhookRequest, Webhook

    secret = "" if options["unsigned"] else a_new_secret()
    wanted = Webhook(
        name=name,
        url=url,
        kinds=[Kind.Value(f"KIND_{each.upper()}") for each in options["kinds"]],
        id_prefix=options["prefix"],
        filter=options["filter"],
        view=View.VIEW_BASIC if options["names_only"] else View.VIEW_FULL,
        description=options["description"],
        enabled=not secret,
    )
    request = CreateWebhookRequest(webhook=wanted, reason=options["reason"])
    connection.run(lambda client: _add(client, request, secret))
    bare = parts(name)[1]
    click.echo(f"{bare} sends to {url}. Try it with: mds webhook test {bare}", err=True)


async def _add(client: "Client", request: "CreateWebhookRequest", secret: str) -> None:
    """Adds a webhook, and has it begin once it has its secret, which has been told by then: however
    this ends, nothing goes out that is not signed, or with what nobody knows."""
    from mds.v1.webhook_pb2 import SetWebhookSecretRequest

    await client.webhooks.CreateWebhook(request)
    if not secret:
        return
    name, reason = request.webhook.name, request.reason
    bare = parts(name)[1]
    left = f"mds webhook secret {bare} && mds webhook enable {bare}"
    try:
        click.echo("Its secret, which nobody is told again:", err=True)
        click.echo(secret)
        setting = SetWebhookSecretRequest(name=name, secret=secret, reason=reason)
        await client.webhooks.SetWebhookSecret(setting)
        left = f"mds webhook enable {bare}"
        await client.webhooks.UpdateWebhook(_enabling(name, enabled=True, reason=reason))
        left = ""
    finally:
        if left:
            click.echo(f"{bare} is added, but sends nothing. Have it begin with: {left}", err=True)


@webhook.command("list")
@list_output
@pass_connection
def list_(connection: Connection, *, output: str) -> None:
    """List all webhooks, and how they stand.

    \b
      mds webhook list -o wide
    """
    found = connection.run(all_standings)
    if found or output not in {"table", "wide"}:
        write_all(found, STANDING, output)
    else:
        click.echo("There is no webhook.", err=True)


@webhook.command()
@_NAME
@show_output()
@pass_connection
def show(connection: Connection, name: str, *, output: str) -> None:
    """Show how one webhook stands; what is declared of it: mds show webhooks/WEBHOOK.

    \b
      mds webhook show logbook -o json
    """
    write_one(connection.run(lambda client: standing(client, name)), STANDING, output)


@webhook.command()
@_NAME
@click.option(
    "--from-file",
    type=click.File(),
    help="Take it from this file, - for the input; else one is made here, and told this once.",
)
@click.option("--none", "is_none", is_flag=True, help="No secret: nothing is signed any more.")
@click.option(
    "--keep-old",
    type=click.IntRange(0, 720),
    default=24,
    show_default=True,
    metavar="HOURS",
    help="For how long deliveries are signed with the one before, too.",
)
@reason_option
@pass_connection
def secret(
    connection: Connection,
    name: str,
    *,
    from_file: Any,
    is_none: bool,
    keep_old: int,
    reason: str,
) -> None:
    """Give a webhook another secret.

    \b
      mds webhook secret logbook --keep-old 24 --reason "it was in a log"

    Exit codes: 0 given, 1 refused, 3 no server answers.
    """
    from google.protobuf.duration_pb2 import Duration
    from mds.v1.webhook_pb2 import SetWebhookSecretRequest

    if from_file and is_none:
        raise click.UsageError("Say --from-file or --none, not both.")
    made = "" if from_file or is_none else a_new_secret()
    request = SetWebhookSecretRequest(
        name=name,
        secret=made or ("" if is_none else secret_from(from_file)),
        keep_old=Duration(seconds=keep_old * 3600),
        reason=reason,
    )

    async def call(client: "Client") -> None:
        await client.webhooks.SetWebhookSecret(request)

    connection.run(call)
    click.echo(f"The one before is used, too, for {keep_old} h.", err=True)
    if made:
        click.echo(made)


@webhook.command()
@_NAME
@reason_option
@pass_connection
def enable(connection: Connection, name: str, *, reason: str) -> None:
    """Have a webhook go on from where it was.

    \b
      mds webhook enable logbook --reason "it has moved"
    """
    _enable(connection, name, enabled=True, reason=reason)
    click.echo(f"{parts(name)[1]} goes on.")


@webhook.command()
@_NAME
@reason_option
@pass_connection
def disable(connection: Connection, name: str, *, reason: str) -> None:
    """Have a webhook send nothing for now; what happens meanwhile is sent later.

    \b
      mds webhook disable logbook --reason "the logbook moves"
    """
    _enable(connection, name, enabled=False, reason=reason)
    click.echo(f"{parts(name)[1]} waits. Have it go on with: mds webhook enable {parts(name)[1]}")


@webhook.command()
@_NAME
@reason_option
@pass_connection
def delete(connection: Connection, name: str, *, reason: str) -> None:
    """Delete a webhook with its secrets and the record of its deliveries.

    \b
      mds webhook delete logbook --reason "no longer needed"
    """
    from mds.v1.webhook_pb2 import DeleteWebhookRequest

    request = DeleteWebhookRequest(name=name, etag="*", reason=reason)

    async def call(client: "Client") -> None:
        await client.webhooks.DeleteWebhook(request)

    connection.run(call)
    click.echo(f"{parts(name)[1]} is deleted.")


def _enabling(name: str, *, enabled: bool, reason: str) -> "UpdateWebhookRequest":
    from google.protobuf.field_mask_pb2 import FieldMask
    from mds.v1.webhook_pb2 import UpdateWebhookRequest, Webhook

    return UpdateWebhookRequest(
        webhook=Webhook(name=name, etag="*", enabled=enabled),
        update_mask=FieldMask(paths=["enabled"]),
        reason=reason,
    )


def _enable(connection: Connection, name: str, *, enabled: bool, reason: str) -> None:
    request = _enabling(name, enabled=enabled, reason=reason)

    async def call(client: "Client") -> None:
        await client.webhooks.UpdateWebhook(request)

    connection.run(call)


for _each in (test, redeliver, rewind, deliveries):
    webhook.add_command(_each)
