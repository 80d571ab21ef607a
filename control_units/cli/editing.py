"""From fields that shall be so to units in which they are."""

import re
import uuid
from collections.abc import Sequence

from mds.v1.bundle_pb2 import ApplySummary, ItemResult, Problem
from mds.v1.edit_pb2 import EditControlUnitsRequest, FieldEdit, UnitSelection

from control_units.cli.applying import seen
from control_units.cli.connection import Connection
from control_units.cli.planning import Wish, carry_out
from control_units.client import Client, Unreachable
from control_units.importers.apply import PATIENCE_S, Outcome, Progress

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
) -> None:
    """Shows what would change, asks, and does just that."""
    wish.check()
    request = EditControlUnitsRequest(
        selection=selection,
        edits=field_edits(set_, cleared),
        reason=reason,
        skip_invalid=wish.skips_invalid,
    )

    async def change(client: Client, progress: Progress, *, plan: Outcome | None) -> Outcome:
        asked = EditControlUnitsRequest()
        asked.CopyFrom(request)
        asked.request_id = uuid.uuid4().hex
        asked.validate_only = plan is None
        if plan is not None:
            asked.seen_plan.MergeFrom(seen(plan))
        return await _edited(client, asked, progress)

    carry_out(connection, change, wish)


def field_edits(set_: Sequence[tuple[str, str]], cleared: Sequence[str]) -> list[FieldEdit]:
    edits = [FieldEdit(path=full_path(path), value=value) for path, value in set_]
    return [*edits, *(FieldEdit(path=full_path(path)) for path in cleared)]


def full_path(path: str) -> str:
    """A path as the protocol has it."""
    return _SHORT.sub(r"overrides[\1].\2", path)


async def _edited(client: Client, request: EditControlUnitsRequest, progress: Progress) -> Outcome:
    results: list[ItemResult] = []
    problems: list[Problem] = []
    summary: ApplySummary | None = None
    async for response in client.edits.EditControlUnits(request, timeout=PATIENCE_S):
        results.extend(response.results)
        problems.extend(response.problems)
        if response.HasField("progress"):
            progress(response.progress)
        elif response.HasField("summary"):
            summary = response.summary
    if summary is None:
        raise Unreachable(client.address, "it ended the call without saying how it went")
    return Outcome(summary, results, problems)
