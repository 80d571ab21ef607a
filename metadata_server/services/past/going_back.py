"""What all ways back have in common: they are decided, saved and answered alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metadata_server.domain.change import Position
from metadata_server.domain.change_set import ChangeSelection, ToldChange
from metadata_server.domain.intent.bundle import WRITING, Decision
from metadata_server.domain.refused import RefusalKind, Refused
from metadata_server.services.intent.planning import changed_by
from metadata_server.services.intent.saving import save_all
from metadata_server.services.intent.survey import surveyed
from metadata_server.store import requests
from metadata_server.store.past.change_lists import change_page
from metadata_server.store.unit_of_work import UnitOfWork

FIRST_CHANGES = 1000
"""How many of its changes a repeated call is told."""


@dataclass(frozen=True, slots=True)
class WentBack:
    """What became of it.

    Attributes:
        position: of the change; of the reading where nothing was written.
        told: what a first call of the same request has done, instead of decisions.
    """

    position: Position
    count: int
    decisions: Sequence[Decision] = ()
    told: Sequence[ToldChange] = ()


def carry_back(
    unit: UnitOfWork,
    decided: Callable[[], Sequence[Decision]],
    *,
    skip_invalid: bool,
    validate_only: bool,
) -> WentBack:
    """Does what was decided, once for each request id.

    Args:
        decided: gives the decisions.
        skip_invalid: leaves out what has problems.

    Raises:
        Refused: REQUEST_ID_REUSED, REASON_REQUIRED; all problems, unless they are left out.
    """
    first = None if validate_only else requests.repeated(unit)
    if first is not None:
        return answered_again(unit, first.revision, first.answer)
    decisions = surveyed(unit, decided())
    if not skip_invalid:
        refuse_problems(decisions)
    unit.check_role(changed_by(decisions))
    unit.check_reason(changed_by(decisions))  # not all of them come from a Planning
    count = sum(decision.action in WRITING for decision in decisions)
    if not validate_only:
        save_all(unit, decisions)
        requests.remember(unit, {"count": count})
    return WentBack(unit.position, count, decisions)


KINDS = {"STILL_IN_USE": RefusalKind.PRECONDITION, "ALREADY_EXISTS": RefusalKind.EXISTS}
"""What some problems are, as refusals of a whole call."""


def refuse_problems(decisions: Iterable[Decision]) -> None:
    """Passes when there are no problems.

    Raises:
        Refused: with all of them; the reason is that of the first.
    """
    fields = [
        replace(problem, subject=decision.item.name)
        for decision in decisions
        for problem in decision.problems
    ]
    if fields:
        refused = Refused.wrong_fields(fields)
        refused.kind = KINDS.get(refused.reason, refused.kind)
        raise refused


def answered_again(unit: UnitOfWork, revision: int, answer: Mapping[str, Any]) -> WentBack:
    """What a call is answered that has been carried out before."""
    position = replace(unit.position, revision=revision)
    if not answer["count"]:
        return WentBack(position, 0)
    selection = ChangeSelection(change_set=revision)
    page = change_page(unit, selection, size=FIRST_CHANGES, token="")
    return WentBack(position, answer["count"], told=page.items)
