"""Rebase: 10,000 units of one template to its next version, planned, done and taken back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable
from typing import TypeVar

from mds.v1 import bundle_pb2, edit_pb2, history_pb2, template_pb2

from benchmarks.facility import declare
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table
from control_units.client import Client

SERVERS, UNITS = 100, 100
TEMPLATE = "templates/bench::Hollow"
GOAL_PLAN_S, GOAL_APPLY_S = 5, 20
PATIENCE_S = 300
T = TypeVar("T")


async def rebase(stage: Stage) -> None:
    """Prints how long each step takes, and what the plan says of the units."""
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        await publish_next_version(client)
        planning, (plan, outcomes) = await timed(rebased(client, validate_only=True))
        seen = bundle_pb2.SeenPlan(position=plan.position, plan=plan.plan)
        applying, (applied, _) = await timed(rebased(client, seen_plan=seen))
        if not applied.applied:
            raise RuntimeError("The units were not moved.")
        undoing, _ = await timed(undo(client, applied.position.revision))
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
    print_table(
        f"Rebase of {SERVERS * UNITS:,} units with two overrides each, on MariaDB ({told})",
        ("step", "s", "goal"),
        [
            ("plan", planning, GOAL_PLAN_S),
            ("just that plan, done", applying, GOAL_APPLY_S),
            ("undo", undoing, ""),
        ],
    )


async def timed(work: Awaitable[T]) -> tuple[float, T]:
    began = time.perf_counter()
    found = await work
    return time.perf_counter() - began, found


async def publish_next_version(client: Client) -> None:
    """Narrows what no unit overrides, and what all do."""
    template = await client.templates.GetTemplate(template_pb2.GetTemplateRequest(name=TEMPLATE))
    for attribute in template.attributes[1:6:2]:
        attribute.maximum = "90"
    request = template_pb2.UpdateTemplateRequest(template=template, reason="benchmark")
    request.update_mask.paths.append("attributes")
    await client.templates.UpdateTemplate(request)


async def rebased(
    client: Client, *, validate_only: bool = False, seen_plan: bundle_pb2.SeenPlan | None = None
) -> tuple[bundle_pb2.ApplySummary, Counter[str]]:
    request = edit_pb2.RebaseControlUnitsRequest(
        template=TEMPLATE, reason="benchmark", validate_only=validate_only, seen_plan=seen_plan
    )
    outcomes: Counter[str] = Counter()
    summary = bundle_pb2.ApplySummary()
    async for response in client.edits.RebaseControlUnits(request, timeout=PATIENCE_S):
        for each in response.units:
            outcomes[edit_pb2.RebaseOutcome.Name(each.outcome)[15:].lower()] += 1
        if response.HasField("summary"):
            summary = response.summary
    return summary, outcomes


async def undo(client: Client, revision: int) -> None:
    request = history_pb2.UndoRequest(name=f"change_sets/{revision}", reason="benchmark")
    await client.history.Undo(request, timeout=PATIENCE_S)
