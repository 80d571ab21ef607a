"""Plans: what a call that changes many resources would do, told beforehand, and done just so.

Everything that changes many resources at once goes through here: it is decided, looked over,
compared with the plan that its caller has seen, and saved, in one transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metadata_server.domain.intent.bundle import (
    WRITING,
    Decision,
    Item,
    ItemAction,
    OnConflict,
    PruneScope,
    SeenPlan,
    Summary,
)
from metadata_server.domain.resource import Resource
from metadata_server.services.agents.moves import check_nothing_came, check_seen_plan
from metadata_server.services.intent.planning import Planning
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.saving import save_all
from metadata_server.services.intent.survey import surveyed
from metadata_server.store import requests
from metadata_server.store.codec import canonical, plain
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """How items are to be applied; see BundleHeader."""

    on_conflict: OnConflict = OnConflict.FAIL
    validate_only: bool = False
    skip_invalid: bool = False
    prune: tuple[PruneScope, ...] = ()
    seen: SeenPlan | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What it came to; `decisions` are empty when a repeated request is answered."""

    summary: Summary
    decisions: Sequence[Decision] = field(default=())


ItemsOf = Callable[[UnitOfWork], Sequence[Item]]
"""Gives the items, from what is there."""


def carry_out(
    unit: UnitOfWork, items_of: ItemsOf, how: Applying, progress: ApplyProgress
) -> Applied:
    """Decides about items, and does it unless they have problems or it is only a try.

    Raises:
        Refused: REQUEST_ID_REUSED, PLAN_MOVED, HISTORY_RESET. Problems of items are not raised:
            they stand in the decisions.
    """
    first = None if how.validate_only else requests.repeated(unit)
    if first is not None:
        return Applied(summary_from(first.answer))
    progress.restart()
    begun = unit.position
    planning = Planning(unit, on_conflict=how.on_conflict, progress=progress)
    decisions = surveyed(unit, planning.decide(items_of(unit), how.prune))
    plan = plan_of(decisions)
    if how.seen is not None:
        check_seen_plan(unit, how.seen, plan, planning.subjects, how.prune)
    summary = summary_of(unit, decisions, plan, how)
    if summary.applied:
        save_all(unit, decisions)
        check_nothing_came(unit, begun, how.prune, planning.subjects)
        requests.remember(unit, answer_of(summary))
        unit.on_written = progress.wrote
    elif not how.validate_only:
        requests.forget(unit)
    return Applied(summary, decisions)


def summary_of(
    unit: UnitOfWork, decisions: Sequence[Decision], plan: str, how: Applying
) -> Summary:
    counts = Counter(decision.action for decision in decisions)
    touched = [d for d in decisions if d.action in WRITING and d.before is not None]
    caller = unit.caller.principal.name if unit.caller else ""
    good = how.skip_invalid or not counts[ItemAction.REJECTED]
    return Summary(
        applied=good and not how.validate_only,
        counts=dict(counts),
        running=sum(decision.is_running for decision in touched),
        of_others=sum(decision.last_author not in {"", caller} for decision in touched),
        plan=plan,
    )


def plan_of(decisions: Iterable[Decision]) -> str:
    """Tells a plan from any other: the same resources, as they were, become the same. The order
    of the decisions does not matter."""
    lines = sorted(line_of(decision) for decision in decisions)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def line_of(decision: Decision) -> bytes:
    """What is planned of one item. Where nothing is written it does not matter what is there."""
    name, action = decision.item.name, decision.action.value
    if action == ItemAction.REJECTED:
        faults = [(fault.reason, fault.field) for fault in decision.problems]
        return canonical([name, action, decision.item.source, faults])
    if decision.action not in WRITING:
        return canonical([name, action])
    etag = decision.before.etag if decision.before else ""
    content = content_of(decision.after) if decision.after else None
    return canonical([name, action, etag, content])


def content_of(resource: Resource) -> dict[str, Any]:
    content = plain(resource)
    content.pop("meta", None)
    return content


def answer_of(summary: Summary) -> Mapping[str, Any]:
    """What is kept of an answer, for the case that the request is repeated."""
    return {
        "applied": summary.applied,
        "counts": {action.value: count for action, count in summary.counts.items()},
        "running": summary.running,
        "of_others": summary.of_others,
        "plan": summary.plan,
    }


def summary_from(answer: Mapping[str, Any]) -> Summary:
    counts = {ItemAction(action): count for action, count in answer["counts"].items()}
    return Summary(**{**answer, "counts": counts})
