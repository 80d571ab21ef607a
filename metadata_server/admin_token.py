"""`mds admin-token`: the first token, and the one for whoever has lost the last."""

from __future__ import annotations

import getpass
import secrets
import socket
import sys

import click

from metadata_server.commands import CANNOT_START, settings_or_exit
from metadata_server.settings import Settings, prepared_database_url

COMMAND = "mds admin-token"
DAYS_US = 86_400_000_000


@click.command()
@click.argument("name")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=7,
    show_default=True,
    help="For how long it is good.",
)
def admin_token(name: str, *, days: int) -> None:
    """Create an admin's token for NAME in the database itself, and tell it this once.

    For the first one, and for when the last one was lost: it needs no server and no token, only
    what `mds serve` and `mds migrate` need, MDS_DATABASE_URL. It is in the history like
    any other. Make those that last with `mds token create`.

    \b
      mds admin-token anna

    Exit codes: 0 created, 1 refused, or the database does not answer.
    """
    from metadata_server.domain.refused import Refused
    from metadata_server.logs import set_up_logs

    # Off standard output, which is the token's; what goes wrong is said in words.
    set_up_logs("error", format="text", replica="")
    id, secret = secrets.token_hex(6), secrets.token_hex(32)
    try:
        text = create(settings_or_exit(), name, id, secret, days)
    except (Refused, ValueError) as problem:
        message = problem.message if isinstance(problem, Refused) else str(problem)
        click.echo(f"Error: {message}", err=True)
        sys.exit(CANNOT_START)
    click.echo(text)
    click.echo(f"The line above is tokens/{id} of {name}, admin, good for {days} days.", err=True)


def create(settings: Settings, name: str, id: str, secret: str, days: int) -> str:
    """The text of a token that is in the database.

    Raises:
        Refused: INVALID_FIELD, SCHEMA_UNKNOWN, DATABASE_UNAVAILABLE.
        ValueError: no database has such a URL.
    """
    from metadata_server.domain.access.role import Role
    from metadata_server.domain.access.token import Token, hash_of, text_of
    from metadata_server.domain.change import Caller, Principal
    from metadata_server.services.access.tokens import created
    from metadata_server.store.database import open_database
    from metadata_server.store.migration import check_schema
    from metadata_server.store.store import Store
    from metadata_server.store.unit_of_work import UnitOfWork

    text = text_of(id, secret)
    caller = Caller(
        principal=Principal(f"{getpass.getuser()}@{socket.gethostname()}"),
        method="Tokens.CreateToken",
        reason=COMMAND,
        client=COMMAND,
    )

    def work(unit: UnitOfWork) -> None:
        end_us = unit.now_us + days * DAYS_US
        wanted = Token(
            id=id, hash=hash_of(text), principal=name, role=Role.ADMIN, expire_time_us=end_us
        )
        created(unit, wanted)

    store = Store(open_database(prepared_database_url(settings)))
    try:
        store.read_now(check_schema)
        store.transact_now(work, caller=caller)
    finally:
        store.close()
    return text
