"""From an order to units that have come where they shall be."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
from mds.v1.bundle_pb2 import ItemAction
from mds.v1.edit_pb2 import EditControlUnitsRequest, FieldEdit, UnitSelection
from mds.v1.state_pb2 import State

from control_units.cli.arriving import arrive
from control_units.cli.connection import Connection
from control_units.cli.editing import edit_change
from control_units.cli.orders import ANY, Verb
from control_units.cli.planning import Change, Telling, Wish, carry_out
from control_units.cli.selecting import selection_of
from control_units.client import Client
from control_units.importers.apply import Outcome, Progress

_LEFT = (ItemAction.ITEM_ACTION_REJECTED, ItemAction.ITEM_ACTION_SKIPPED)


def order_units(
    connection: Connection, verb: Verb, patterns: Sequence[str], options: dict[str, Any]
) -> None:
    """Shows what would change, asks before it touches many, does it, and waits for the units.

    Raises:
        click.ClickException: nothing is selected.
        click.exceptions.Exit: something stands against it, or units have not come there.
    """
    is_one = len(patterns) == 1 and not patterns[0].endswith(ANY)
    wish = replace(Wish.of(options), asks_from=2)
    if is_one:
        wish = replace(wish, is_agreed=True)
    wish.check()
    request = EditControlUnitsRequest(
        selection=selection_for(verb, patterns, options),
        edits=[edit_for(verb)],
        reason=options["reason"],
        skip_invalid=wish.skips_invalid,
    )
    telling = Telling(is_undoable=bool(verb.desired))
    report = carry_out(connection, _change(request, verb), wish, telling=telling)
    if report.outcome is None or wish.is_dry_run or not _is_waited_for(wish, options):
        return
    names = [each.name for each in report.results if each.action not in _LEFT]
    position = report.outcome.summary.position
    arrive(connection, names, position, within_s=options["within"])


def selection_for(verb: Verb, patterns: Sequence[str], options: dict[str, Any]) -> UnitSelection:
    """What was said, without the units that the verb leaves alone.

    Raises:
        click.UsageError: nothing was said, so that it would be all units.
    """
    prefixes = [each[:-1].partition("/")[2] for each in patterns if each.endswith(ANY)]
    found = selection_of([each for each in patterns if not each.endswith(ANY)], options)
    if not (patterns or found.ByteSize()):
        raise click.UsageError(
            "This would be every unit of the facility: name units, or say --prefix, --zone, "
            f"--template, --unit-server, --label or --state; '{ANY}' if you mean them all."
        )
    if "" in prefixes:
        del found.names[:]
    else:
        found.id_prefixes.extend(prefixes)
    if not verb.desired and not found.state:
        found.state = State.STATE_RECOVERABLE_ERROR
    if verb.others:
        words = ("UNSPECIFIED", verb.desired, *verb.others)
        found.desired_states.extend(State.Value(f"STATE_{word}") for word in words)
    return found


def edit_for(verb: Verb) -> FieldEdit:
    if verb.desired:
        return FieldEdit(path="desired_state", value=verb.desired)
    return FieldEdit(path="recover_count", value="+1")


def _change(request: EditControlUnitsRequest, verb: Verb) -> Change:
    edit = edit_change(request)

    async def change(client: Client, progress: Progress, /, *, plan: Outcome | None) -> Outcome:
        outcome = await edit(client, progress, plan=plan)
        if plan is None and not outcome.results:
            raise click.ClickException(f"No control unit is selected. {verb.limits}".rstrip())
        return outcome

    return change


def _is_waited_for(wish: Wish, options: dict[str, Any]) -> bool:
    """A person at a terminal wants to see it happen; a script says so."""
    if options["wait"] is not None:
        return bool(options["wait"])
    return wish.output == "text" and sys.stdout.isatty()
