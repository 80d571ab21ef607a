"""`mds token` and `mds whoami`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.access.shape import SHAPE
from control_units.cli.access.written import TokenName, one_of, reserved, write_secret
from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import pages
from control_units.cli.options import list_output, output_option, reason_option
from control_units.cli.output.writing import plain_of, write_all
from control_units.cli.times import Ahead, shown
from control_units.client.words import word_of

if TYPE_CHECKING:
    from mds.v1.token_pb2 import Token

    from control_units.client import Client

ROLES = ("viewer", "operator", "expert", "admin")


class _End(click.ParamType[datetime | None]):
    """A time to come, or `never`."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | None:
        return None if value == "never" else Ahead().convert(value, param, ctx)


@click.group(short_help="Decide who may call, and what they may do.")
def token() -> None:
    """Tokens: what people and programs show, so that the server knows who calls."""


@token.command()
@click.argument("principal", metavar="NAME")
@click.option(
    "--role", required=True, type=click.Choice(ROLES), help="What its bearer may do, at most."
)
@click.option("--program", is_flag=True, help="For unit servers and agents: they may register.")
@click.option(
    "--expires",
    "end",
    type=_End(),
    default=None,
    metavar="TIME|never",
    help="In how long, or when: 90d, 2027-05-31. Else in a year; of programs never.",
)
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it into this new file, which only you may read, and nowhere else.",
)
@reason_option
@pass_connection
def create(connection: Connection, principal: str, **options: Any) -> None:
    """Create a token for NAME, who is the author of what is done with it. It is made here, and
    told this once: on standard output, or in a file.

    \b
      mds token create anna --role expert --expires 90d
      mds token create magnets --role viewer --program --file /etc/mds/token

    Exit codes: 0 created, 1 refused, 3 no server answers.
    """
    from mds.v1.access_pb2 import Role
    from mds.v1.token_pb2 import CreateTokenRequest, Token

    from control_units.client.tokens import a_new_token

    new = a_new_token()
    wanted = Token(
        name=new.name,
        principal=principal,
        role=Role.Value(f"ROLE_{options['role'].upper()}"),
        program=options["program"],
        sha256=new.sha256,
    )
    if end := end_of(click.get_current_context(), options["end"], is_program=options["program"]):
        wanted.expire_time.FromDatetime(end)
    request = CreateTokenRequest(token=wanted, reason=options["reason"])
    with reserved(options["path"]) as file:
        made = connection.run(lambda client: client.tokens.CreateToken(request))
        write_secret(new.text, file)
    until = f"until {shown(made.expire_time)}" if made.HasField("expire_time") else "for ever"
    click.echo(f"{made.name} is {principal}'s, {options['role']}, good {until}.", err=True)
    if file is None:
        click.echo("The line above is the token, which nobody is told again.", err=True)


def end_of(ctx: click.Context, said: datetime | None, *, is_program: bool) -> datetime | None:
    """When a token ends; None: never. A facility's programs do not stop on a birthday."""
    is_said = ctx.get_parameter_source("end") is not click.core.ParameterSource.DEFAULT
    if is_said or is_program:
        return said
    return Ahead().convert("365d", None, ctx)


@token.command("list")
@click.option("--principal", default="", metavar="NAME", help="Only this one's.")
@click.option("--all", "all_", is_flag=True, help="Also those that are expired or revoked.")
@list_output
@pass_connection
def list_(connection: Connection, *, principal: str, all_: bool, output: str) -> None:
    """List tokens, the newest first; never their text.

    \b
      mds token list --all -o wide
    """
    found = connection.run(lambda client: _listed(client, principal, active_only=not all_))
    if found or output not in {"table", "wide"}:
        write_all(found, SHAPE, output)
    else:
        click.echo("There is no such token.", err=True)


@token.command()
@click.argument("who", metavar="TOKEN|NAME", type=TokenName())
@reason_option
@pass_connection
def revoke(connection: Connection, who: str, *, reason: str) -> None:
    """Revoke a token, by its id or by the name of who has it: on all servers within seconds, and
    for good. What is connected with it is cut off.

    \b
      mds token revoke anna --reason 'laptop lost'
    """
    from mds.v1.token_pb2 import RevokeTokenRequest

    async def work(client: "Client") -> "Token":
        name = who
        if not name.startswith("tokens/"):
            name = one_of(who, await _listed(client, who, active_only=True))
        return await client.tokens.RevokeToken(RevokeTokenRequest(name=name, reason=reason))

    done = connection.run(work)
    click.echo(f"{done.name} of {done.principal} is revoked since {shown(done.revoke_time)}.")


async def _listed(client: "Client", principal: str, *, active_only: bool) -> "list[Token]":
    from mds.v1.token_pb2 import ListTokensRequest

    request = ListTokensRequest(page_size=1000, principal=principal, active_only=active_only)
    return [each async for each in pages(client.tokens.ListTokens, request, "tokens")]


@click.command(short_help="Say who you are to the server, and what you may do.")
@output_option("text", "json")
@pass_connection
def whoami(connection: Connection, *, output: str) -> None:
    """Say who you are to the server, and what you may do.

    \b
      mds whoami
    """
    import json

    from mds.v1.access_pb2 import Role
    from mds.v1.token_pb2 import WhoAmIRequest

    me = connection.run(lambda client: client.tokens.WhoAmI(WhoAmIRequest()))
    if output == "json":
        click.echo(json.dumps(plain_of(me), indent=2))
        return
    role = word_of(Role, me.role).lower()
    if not me.authenticated:
        click.echo(f"{me.principal}, as you say: this server asks nobody. You may do anything.")
        return
    until = f"until {shown(me.expire_time)}" if me.HasField("expire_time") else "for ever"
    program = ", for programs" if me.program else ""
    click.echo(f"{me.principal}, {role}{program}, by {me.token}, good {until}.")
