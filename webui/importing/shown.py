"""What a plan shows: problems by row and column, and a page of what would become different."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mds.v1.bundle_pb2 import BundleItem, ItemAction, ItemResult, Problem
from mds.v1.difference_pb2 import FieldDifference

from control_units.importers.facility.encoding import Plain, encode_resource
from control_units.importers.tables import fields_of
from webui.datasets.plan import Item, planned_items
from webui.importing.planning import Planned
from webui.names import id_of
from webui.refusals import told
from webui.translation import _

PAGE = 100
MOST_PROBLEMS = 300
# Of a text in a table.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """One line of the table of problems.

    Attributes:
        row: of a table; 0: it is no table, and `where` says it.
        line: of the file; 0: it does not tell, or it is that of the row.
        column: its head, or the field.
    """

    row: int
    line: int
    where: str
    column: str
    value: str
    expected: str


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a plan.

    Attributes:
        first: number of its first resource, from 1.
        total: on all pages.
        before, after: numbers of the pages beside it; None: there is none.
    """

    items: Sequence[Item]
    first: int
    total: int
    before: int | None
    after: int | None


def shown_problems(planned: Planned) -> list[ShownProblem]:
    """The first of them, in the order of the document."""
    cells = planned.content.cells
    shown = []
    for problem in planned.problems[:MOST_PROBLEMS]:
        cell = cells.get(problem.source)
        shown.append(
            ShownProblem(
                row=cell.row if cell else 0,
                line=cell.line if cell and cell.line != cell.row else 0,
                where=problem.source,
                column=cell.head if cell else problem.field,
                value=_cut(
                    id_of(problem.value) if problem.value in planned.meant else problem.value
                ),
                expected=_right(problem, planned.meant.get(problem.value, "")),
            )
        )
    return sorted(shown, key=lambda each: each.row)


def part_of(planned: Planned, page: int) -> Part:
    """A page of what becomes different, in the order of the document.

    Args:
        page: from 0; one that is not there: the last.
    """
    results = (
        [each for each in planned.outcome.results if _is_shown(each)] if planned.outcome else []
    )
    page = max(0, min(page, (len(results) - 1) // PAGE))
    some = results[page * PAGE : (page + 1) * PAGE]
    items = [
        replace(item, differences=item.differences or _created(result, planned.items))
        for item, result in zip(planned_items(some), some, strict=True)
    ]
    last = max(0, (len(results) - 1) // PAGE)
    return Part(
        items=items,
        first=page * PAGE + 1,
        total=len(results),
        before=page - 1 if page else None,
        after=page + 1 if page < last else None,
    )


def _is_shown(result: ItemResult) -> bool:
    return result.action not in (
        ItemAction.ITEM_ACTION_UNCHANGED,
        ItemAction.ITEM_ACTION_REJECTED,
    )


def _created(result: ItemResult, items: Mapping[str, BundleItem]) -> tuple[FieldDifference, ...]:
    """The fields of something new."""
    item = items.get(result.source)
    kind = item.WhichOneof("resource") if item else None
    if item is None or kind is None or result.action != ItemAction.ITEM_ACTION_CREATED:
        return ()
    resource = getattr(item, kind)
    is_unit = kind == "control_unit"
    fields = fields_of(resource) if is_unit else encode_resource(resource)
    return tuple(
        FieldDifference(path=name, after=_cut(_text(value)))
        for name, value in fields.items()
        if name != "id"
    )


def _text(value: Plain) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _right(problem: Problem, meant: str) -> str:
    """What would be right, or, where nothing says so, all of it as a sentence."""
    perhaps = _("perhaps %(meant)r; ") % {"meant": meant} if meant else ""
    return perhaps + (problem.expected or told(problem))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
