"""A plan, or what became of it: which resources, which fields, what stands against it, and what
is touched by it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click
from mds.v1.bundle_pb2 import ItemAction, ItemResult, Problem

from control_units.cli.output.differences import (
    CHANGED,
    CREATED,
    REMOVED,
    difference_fields,
)
from control_units.cli.output.entries import Entry, entry_lines, some_names
from control_units.cli.output.problems import counted, problem_fields, problem_lines
from control_units.client.words import word_of
from control_units.importers.apply import Outcome

_SIGNS = {
    ItemAction.ITEM_ACTION_CREATED: "+",
    ItemAction.ITEM_ACTION_CHANGED: "~",
    ItemAction.ITEM_ACTION_REMOVED: "-",
    ItemAction.ITEM_ACTION_SKIPPED: "!",
}
TOUCHED = (ItemAction.ITEM_ACTION_CHANGED, ItemAction.ITEM_ACTION_REMOVED)


@dataclass(frozen=True, slots=True)
class PlanReport:
    """All there is to say.

    Attributes:
        outcome: what the server said; None: it was not asked.
        problems: of the files, then of the server, with their places.
        author: who asks.
        unasked: why the server was not asked, though it should have been.
    """

    outcome: Outcome | None
    problems: Sequence[Problem]
    author: str
    unasked: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.touched

    @property
    def touched(self) -> int:
        """How many resources it creates, changes or removes."""
        summary = self.outcome.summary if self.outcome else None
        return summary.created + summary.changed + summary.removed if summary else 0

    @property
    def results(self) -> Sequence[ItemResult]:
        return self.outcome.results if self.outcome else ()


def plan_text(report: PlanReport) -> str:
    """What would be done, ending with the lines that matter most."""
    return "\n".join([*entry_lines(entries_of(report.results)), *plan_end_lines(report)])


def plan_end_lines(report: PlanReport) -> Iterator[str]:
    """What stands against it, what it touches, and how many of each."""
    yield from problem_lines(report.problems)
    yield from _running_lines(report.results)
    yield from _others_lines(report)
    if report.unasked:
        yield f"The server was not asked about the rest. {report.unasked}"
    yield f"Plan: {counts_of(report)}."


def counts_of(report: PlanReport) -> str:
    summary = report.outcome.summary if report.outcome else None
    if summary is None:
        return "nothing is known"
    parts = [
        (f"{summary.created} to create", CREATED if summary.created else None),
        (f"{summary.changed} to change", CHANGED if summary.changed else None),
        (f"{summary.removed} to remove", REMOVED if summary.removed else None),
        (f"{summary.unchanged} as they are", None),
    ]
    if summary.skipped:
        parts.append((f"{summary.skipped} left though they differ", None))
    if report.problems:
        named = {problem.name or problem.source for problem in report.problems}
        parts.append((f"{len(named)} with problems", "magenta"))
    return ", ".join(click.style(text, fg=colour) for text, colour in parts)


def entries_of(results: Iterable[ItemResult]) -> Iterator[Entry]:
    for result in results:
        if result.action in _SIGNS:
            yield Entry(_SIGNS[result.action], result.name, result.source, result.differences)


def _running_lines(results: Sequence[ItemResult]) -> Iterator[str]:
    running = [each.name for each in results if each.is_running and each.action in TOUCHED]
    if running:
        yield click.style(
            f"Running now: {counted(len(running), 'control_unit')}: {some_names(running)}",
            bold=True,
        )


def _others_lines(report: PlanReport) -> Iterator[str]:
    authors = Counter(
        each.last_author
        for each in report.results
        if each.action in TOUCHED and each.last_author not in {"", report.author}
    )
    if authors:
        said = ", ".join(f"{author} ({count})" for author, count in authors.most_common())
        yield click.style(f"Last changed by others: {said}", bold=True)


def plan_items(outcome: Outcome) -> list[dict[str, object]]:
    return [item_fields(result) for result in outcome.results]


def plan_json(report: PlanReport, items: Sequence[dict[str, object]], *, is_applied: bool) -> str:
    """One object; problems and differences as the protocol has them."""
    summary = report.outcome.summary if report.outcome else None
    counts = ("created", "changed", "removed", "unchanged", "skipped", "rejected")
    found = {
        "applied": is_applied,
        "revision": summary.position.revision if summary else None,
        "counts": {name: getattr(summary, name) if summary else 0 for name in counts},
        "running": summary.running if summary else 0,
        "of_others": summary.of_others if summary else 0,
        "problems": [problem_fields(problem) for problem in report.problems],
        "items": items,
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def item_fields(result: ItemResult) -> dict[str, object]:
    return {
        "source": result.source,
        "name": result.name,
        "action": word_of(ItemAction, result.action),
        "differences": difference_fields(result.differences),
        "running": result.is_running,
        "last_author": result.last_author,
    }
