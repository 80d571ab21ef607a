"""`mds history` and `mds changes`: who changed what, when and why."""

import json
from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import KINDS, ResourceName, number_of
from control_units.cli.looking.asked import asked_of, asked_options
from control_units.cli.options import list_output, output_option
from control_units.cli.times import AsOf

_PAGE = 1000
_SINCE = "From this moment on: 120, 2026-11-15, 2h (ago)."
_LIMIT = click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    help="At most so many.",
)


@click.command(short_help="Show how a resource was changed, by whom and why.")
@click.argument("name", required=False, type=ResourceName(), metavar="[NAME]")
@click.option(
    "--change-set", metavar="REVISION", type=click.IntRange(1), help="Of this change set."
)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only these kinds.")
@click.option("--prefix", default="", help="Only ids that began with this text then.")
@click.option("--author", default="", help="Only by this author.")
@click.option("--since", type=AsOf(), default="", help=_SINCE)
@click.option("--until", type=AsOf(), default="", help="Up to this moment.")
@asked_options("change", "action=DELETED reason:shutdown")
@_LIMIT
@output_option("text", "json")
@pass_connection
def history(
    connection: Connection, /, name: str | None, *, limit: int, output: str, **filters: Any
) -> None:
    """Show how a resource was changed, newest first: KIND/ID, or the id of a control unit. It
    is found by any name that it ever had. Without a NAME: all changes, or those of a change set.

    \b
      mds history DAFNE/PL/QSK/QSKPL106
      mds history --change-set 135
      mds history --prefix DAFNE/PL/ --since 1d --author carla@desk

    Exit codes: 0 shown, 1 refused, 2 wrong use, 3 no server answers.
    """
    from mds.v1.history_pb2 import ListChangesRequest

    from control_units.cli.past.change_report import changes_json, changes_text

    request = ListChangesRequest(
        name=name or "",
        change_set=f"change_sets/{filters['change_set']}" if filters["change_set"] else "",
        kinds=[number_of(kind) for kind in filters["kinds"]],
        id_prefix=filters["prefix"],
        author=filters["author"],
        since=filters["since"],
        until=filters["until"],
        **asked_of(filters),
    )
    found, page = connection.run(
        lambda client: _listed(client.history.ListChanges, request, "changes", limit)
    )
    if output == "json":
        click.echo(json.dumps(changes_json(found), ensure_ascii=False, indent=2))
    else:
        click.echo(changes_text(found, kept_from=page.kept_from, is_cut=len(found) == limit))


@click.command(short_help="List change sets, newest first.")
@click.option("--author", default="", help="Only by this author.")
@click.option("--since", type=AsOf(), default="", help=_SINCE)
@click.option("--until", type=AsOf(), default="", help="Up to this moment.")
@asked_options("change_set", "reason:shutdown client:mds*")
@_LIMIT
@list_output
@pass_connection
def changes(
    connection: Connection,
    *,
    author: str,
    since: str,
    until: str,
    limit: int,
    output: str,
    **asked: str,
) -> None:
    """List change sets, newest first: what was done in one go, by whom, when and why. Each is
    known by its revision; `mds history --change-set REVISION` shows its fields, and
    `mds undo REVISION` takes it back.

    \b
      mds changes --since 12h
      mds changes --author carla@desk --limit 5
      mds changes --sort revision --limit 1
      mds changes --filter request=night-shift-17

    Exit codes: 0 shown, 1 refused, 2 wrong use, 3 no server answers.
    """
    from mds.v1.history_pb2 import ListChangeSetsRequest

    from control_units.cli.output.writing import write_all
    from control_units.cli.past.change_report import SHAPE

    request = ListChangeSetsRequest(author=author, since=since, until=until, **asked_of(asked))
    found, _ = connection.run(
        lambda client: _listed(client.history.ListChangeSets, request, "change_sets", limit)
    )
    write_all(found, SHAPE, output)


async def _listed(call: Any, request: Any, field: str, limit: int) -> tuple[list[Any], Any]:
    """The first things of a list, and its last page."""
    found: list[Any] = []
    while True:
        request.page_size = min(_PAGE, limit - len(found))
        page = await call(request)
        found.extend(getattr(page, field))
        request.page_token = page.next_page_token
        if len(found) >= limit or not page.next_page_token:
            return found, page
