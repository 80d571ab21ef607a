"""From a moment of the past to what is there being so again."""

import uuid
from collections.abc import Sequence

import click
from mds.v1.bundle_pb2 import ApplySummary, ItemAction, ItemResult, Problem
from mds.v1.history_pb2 import (
    ListChangeSetsRequest,
    ListChangeSetsResponse,
    RevertRequest,
    UndoRequest,
)
from mds.v1.position_pb2 import Position

from control_units.cli.connection import Connection
from control_units.cli.editing.planning import Wish, carry_out
from control_units.cli.moments import Point
from control_units.client import Client
from control_units.importers.apply import PATIENCE_S, Outcome, Progress


def last_of_mine(connection: Connection) -> str:
    """The newest change set of who asks.

    Raises:
        click.ClickException: there is none.
    """
    author = connection.author()

    async def work(client: Client) -> ListChangeSetsResponse:
        request = ListChangeSetsRequest(author=author, page_size=1)
        return await client.history.ListChangeSets(request)

    found = connection.run(work).change_sets
    if not found:
        raise click.ClickException(f"{author} has changed nothing; `mds changes` lists who has.")
    click.echo(f"{found[0].revision}: {found[0].reason or 'without a reason'}", err=True)
    return found[0].name


def undo_change_set(connection: Connection, name: str, wish: Wish, *, reason: str) -> None:
    """Shows what would be taken back, asks, and does it.

    Args:
        name: `change_sets/{revision}`.
    """

    async def change(client: Client, _: Progress, /, *, plan: Outcome | None) -> Outcome:
        request = UndoRequest(
            name=name,
            request_id=uuid.uuid4().hex,
            reason=reason,
            validate_only=plan is None,
            skip_invalid=wish.skips_invalid,
        )
        reply = await client.history.Undo(request, timeout=PATIENCE_S)
        return outcome_of(
            reply.results, reply.problems, reply.position, is_applied=plan is not None
        )

    carry_out(connection, change, wish)


def revert_resource(connection: Connection, point: Point, wish: Wish, *, reason: str) -> None:
    """Shows what the resource would be, asks, and makes it so."""

    async def change(client: Client, _: Progress, /, *, plan: Outcome | None) -> Outcome:
        request = RevertRequest(
            name=point.name,
            as_of=point.as_of,
            etag=_seen_etag(plan),
            request_id=uuid.uuid4().hex,
            reason=reason,
            validate_only=plan is None,
        )
        reply = await client.history.Revert(request, timeout=PATIENCE_S)
        return outcome_of([reply.result], (), reply.position, is_applied=plan is not None)

    carry_out(connection, change, wish)


def _seen_etag(plan: Outcome | None) -> str:
    """What must still be there when the plan is carried out."""
    return (plan.results[0].etag if plan and plan.results else "") or "*"


def outcome_of(
    results: Sequence[ItemResult],
    problems: Sequence[Problem],
    position: Position,
    *,
    is_applied: bool,
) -> Outcome:
    """What a call without a summary of its own came to."""

    def count(action: ItemAction.ValueType) -> int:
        return sum(result.action == action for result in results)

    summary = ApplySummary(
        applied=is_applied,
        position=position,
        created=count(ItemAction.ITEM_ACTION_CREATED),
        changed=count(ItemAction.ITEM_ACTION_CHANGED),
        removed=count(ItemAction.ITEM_ACTION_REMOVED),
        unchanged=count(ItemAction.ITEM_ACTION_UNCHANGED),
        rejected=len({problem.name for problem in problems}),
        running=sum(result.is_running for result in results),
    )
    return Outcome(summary, list(results), list(problems))
