"""What an import has to say, for people and for scripts."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mds.v1.bundle_pb2 import ItemAction, ItemResult, Problem

from control_units.cli.output.problems import counted, problem_fields, problem_lines
from control_units.client.words import word_of
from control_units.importers.apply import Outcome
from control_units.importers.findings import Reading

_ACTIONS = {
    ItemAction.ITEM_ACTION_CREATED: ("+", "created"),
    ItemAction.ITEM_ACTION_CHANGED: ("~", "changed"),
    ItemAction.ITEM_ACTION_SKIPPED: ("!", "left, though it differs"),
    ItemAction.ITEM_ACTION_UNCHANGED: ("=", "left, as it is so already"),
    ItemAction.ITEM_ACTION_REMOVED: ("-", "removed"),
    ItemAction.ITEM_ACTION_REJECTED: ("!", "left out for its problems"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to say.

    Attributes:
        outcome: what the server said; None: it was not asked.
        unasked: why it was not, though it should have been.
    """

    file: str
    reading: Reading
    outcome: Outcome | None
    is_dry_run: bool
    skips_invalid: bool
    unasked: str = ""

    @property
    def problems(self) -> list[Problem]:
        """Those of the file, then those that only the server could see."""
        found = self.outcome.problems if self.outcome else ()
        return [*self.reading.findings.problems, *self.reading.located(found)]

    @property
    def is_applied(self) -> bool:
        return self.outcome is not None and self.outcome.summary.applied

    @property
    def is_good(self) -> bool:
        """Whether what was asked for was done."""
        return self.is_applied or (
            self.is_dry_run
            and self.outcome is not None
            and (self.skips_invalid or not self.problems)
        )


def as_text(report: Report) -> str:
    """Ends with the lines that matter most."""
    return "\n".join(
        [
            f"{report.file}: {_contents(report.reading)}",
            *problem_lines(report.problems),
            *_told_notes(report),
            *_told_properties(report),
            *_told_items(report),
            *_told_end(report),
        ]
    )


def _contents(reading: Reading) -> str:
    kinds = Counter(item.WhichOneof("resource") for item in reading.items)
    removed = kinds.pop("removed", 0)
    parts = [counted(n, str(kind)) for kind, n in kinds.items()]
    return ", ".join([*parts, f"{removed} to remove"] if removed else parts) or "nothing to take"


def _told_notes(report: Report) -> Iterator[str]:
    notes = report.reading.findings.notes
    if notes:
        yield f"{counted(len(notes), 'note')}:"
    for note in notes:
        yield f"  {note.place} {note.text}"


def _told_properties(report: Report) -> Iterator[str]:
    """What the model has no place for, by kind; what said nothing; what was said twice."""
    by_kind: dict[str, list[str]] = {}
    for (kind, name), count in sorted(report.reading.kept().items()):
        by_kind.setdefault(kind, []).append(f"{name} {count}")
    if by_kind:
        yield "kept as properties, as the model has no place for them:"
    for kind, names in by_kind.items():
        yield f"  of {kind.replace('_', ' ')}s: {', '.join(names)}"
    findings = report.reading.findings
    for title, counter in (("empty", findings.empty), ("said twice", findings.repeated)):
        if counter:
            found = ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))
            yield f"not kept, as it was {title}: {found}"


def _told_items(report: Report) -> Iterator[str]:
    """A dry run names everything but what stays as it is; else only what differs is named."""
    results = report.outcome.results if report.outcome else []
    quiet = {ItemAction.ITEM_ACTION_UNCHANGED, ItemAction.ITEM_ACTION_REJECTED}
    if not report.is_dry_run:
        quiet.add(ItemAction.ITEM_ACTION_CREATED)
    told = [result for result in results if result.action not in quiet]
    if told:
        yield "would be:" if report.is_dry_run else "was:"
    for result in told:
        sign, words = _ACTIONS[result.action]
        fields = f": {', '.join(result.changed_fields)}" if result.changed_fields else ""
        yield f"  {sign} {result.name} {words}{fields}"


def _told_end(report: Report) -> Iterator[str]:
    if report.unasked:
        yield f"The server was not asked about the rest. {report.unasked}"
    if report.outcome is None:
        yield "Nothing was written."
        return
    summary = report.outcome.summary
    counts = (
        f"{summary.created} created, {summary.changed} changed, {summary.unchanged} as they "
        f"were, {summary.skipped} left though they differ"
        f"{f', {summary.removed} removed' if summary.removed else ''}"
    )
    left_out = summary.rejected + len(_names(report.reading.findings.problems))
    left_out_words = f", {left_out} left out for their problems" if left_out else ""
    if report.is_good and not (summary.created or summary.changed or summary.removed):
        yield f"Nothing to do: {counts}{left_out_words}."
    elif report.is_applied:
        yield f"Done at revision {summary.position.revision}: {counts}{left_out_words}."
    elif report.is_good:
        yield f"Nothing was written. It would be: {counts}{left_out_words}."
    else:
        yield (
            "Nothing was written. Mend the file, or take the rest with --skip-invalid; what is "
            "there already and differs can be left or replaced with --on-conflict."
        )


def _names(problems: Iterable[Problem]) -> set[str]:
    """The resources that problems are about, each once."""
    return {problem.name or problem.source for problem in problems}


def as_json(report: Report) -> str:
    """One object; a list of problems as the protocol has them."""
    findings = report.reading.findings
    summary = report.outcome.summary if report.outcome else None
    kept: dict[str, dict[str, int]] = {}
    for (kind, name), count in sorted(report.reading.kept().items()):
        kept.setdefault(kind, {})[name] = count
    found = {
        "file": report.file,
        "applied": report.is_applied,
        "dry_run": report.is_dry_run,
        "revision": summary.position.revision if summary else None,
        "counts": {
            name: getattr(summary, name) if summary else 0
            for name in ("created", "changed", "removed", "unchanged", "skipped", "rejected")
        },
        "problems": [problem_fields(problem) for problem in report.problems],
        "notes": [{"source": note.place, "text": note.text} for note in findings.notes],
        "properties": kept,
        "empty": dict(sorted(findings.empty.items())),
        "repeated": dict(sorted(findings.repeated.items())),
        "items": [_item(result) for result in (report.outcome.results if report.outcome else ())],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _item(result: ItemResult) -> dict[str, object]:
    return {
        "source": result.source,
        "name": result.name,
        "action": word_of(ItemAction, result.action),
        "changed_fields": list(result.changed_fields),
    }
