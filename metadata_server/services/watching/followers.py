"""Those that follow a control unit to its new name, in the same change: the units that depend on
it, and the lists that it is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from metadata_server.domain.intent.bundle import Decision, Item
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.dependency import renamed
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.single import change_item
from metadata_server.store.intent.naming import naming
from metadata_server.store.unit_of_work import UnitOfWork


def followers(unit: UnitOfWork, id: str, new_id: str) -> list[Item]:
    """What else changes when a unit gets another id."""
    follow = partial(following, id=id, new_id=new_id)
    return [change_item(each, follow) for each in naming(unit, id)]


def following(there: Resource, *, id: str, new_id: str) -> Resource:
    if isinstance(there, ControlUnit):
        return replace(
            there,
            requires=renamed(there.requires, id, new_id),
            after=renamed(there.after, id, new_id),
        )
    assert isinstance(there, UnitList)
    return replace(there, control_units=tuple(sorted(renamed(there.control_units, id, new_id))))


def refuse_problems(decision: Decision, others: Sequence[Decision]) -> None:
    """Passes when nothing stands against a rename, nor against what follows it.

    Raises:
        Refused: with all problems; those of followers tell whose they are.
    """
    problems = [
        *decision.problems,
        *(replace(each, subject=other.item.name) for other in others for each in other.problems),
    ]
    if problems:
        raise Refused.wrong_fields(problems)
