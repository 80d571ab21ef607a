"""Those that follow a control unit to its new name, in the same change: the units that depend on
it, and the lists that it is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from metadata_server.domain.intent.bundle import Decision, Item
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.dependency import renamed
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.single import change_item
from metadata_server.store.intent.naming import naming
from metadata_server.store.unit_of_work import UnitOfWork

R = TypeVar("R", bound=Resource)


def followers(unit: UnitOfWork, id: str, new_id: str) -> list[Item]:
    """What else changes when a unit gets another id."""
    follow = partial(following, new_ids={id: new_id})
    return [change_item(each, follow) for each in naming(unit, id)]


def following(there: R, new_ids: Mapping[str, str]) -> R:
    """A resource that names units by other ids, as far as it names any."""
    if isinstance(there, ControlUnit):
        return replace(
            there,
            requires=renamed(there.requires, new_ids),
            after=renamed(there.after, new_ids),
        )
    if isinstance(there, UnitList):
        return replace(there, control_units=tuple(sorted(renamed(there.control_units, new_ids))))
    return there


def named_in(there: Resource | None) -> tuple[str, ...]:
    """Ids of the units that a resource names, so that it would follow them; and groups."""
    if isinstance(there, ControlUnit):
        return (*there.requires, *there.after)
    return there.control_units if isinstance(there, UnitList) else ()


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
