"""From fields that shall be so to units in which they are."""

import re
import uuid
from collections.abc import Sequence

from mds.v1.edit_pb2 import EditControlUnitsRequest, FieldEdit, UnitSelection

from control_units.cli.connection import Connection
from control_units.cli.editing.applying import seen
from control_units.cli.editing.planning import Change, Wish, carry_out
from control_units.client import Client
from control_units.importers.apply import PATIENCE_S, Outcome, Progress, outcome_of

# `current.maximum`: an attribute and a facet of it.
_SHORT = re.compile(r"([A-Za-z_][\w:-]*)\.([a-z_]+)\Z", re.ASCII)


def edit_units(
    connection: Connection,
    selection: UnitSelection,
    wish: Wish,
    *,
    set_: Sequence[tuple[str, str]],
    cleared: Sequence[str],
    reason: str,
    is_staged: bool = False,
) -> None:
    """Shows what would change, asks, and does just that.

    Args:
        is_staged: an operation does it, as soon as no guard forbids it.
    """
    request = EditControlUnitsRequest(
        selection=selection,
        edits=field_edits(set_, cleared),
        reason=reason,
        skip_invalid=wish.skips_invalid,
    )
    if is_staged:
        from control_units.cli.editing.staging import stage_edit

        stage_edit(connection, request, wish)
    else:
        carry_out(connection, edit_change(request), wish)


def edit_change(request: EditControlUnitsRequest) -> Change:
    """An edit, as it is planned and as it is done."""

    async def change(client: Client, progress: Progress, *, plan: Outcome | None) -> Outcome:
        asked = EditControlUnitsRequest()
        asked.CopyFrom(request)
        asked.request_id = uuid.uuid4().hex
        asked.validate_only = plan is None
        if plan is not None:
            asked.seen_plan.MergeFrom(seen(plan))
        responses = client.edits.EditControlUnits(asked, timeout=PATIENCE_S)
        return await outcome_of(client, responses, progress=progress)

    return change


def field_edits(set_: Sequence[tuple[str, str]], cleared: Sequence[str]) -> list[FieldEdit]:
    edits = [FieldEdit(path=full_path(path), value=value) for path, value in set_]
    return [*edits, *(FieldEdit(path=full_path(path)) for path in cleared)]


def full_path(path: str) -> str:
    """A path as the protocol has it."""
    return _SHORT.sub(r"overrides[\1].\2", path)
