"""Control units as far as their place in an order goes, with those that an order touches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import and_, func, select

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.dependency import is_group
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.order_plan import blast_radius
from metadata_server.domain.orchestration.ordering import Member
from metadata_server.store.intent.selections import id_range
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit, control_unit_status, lease
from metadata_server.store.unit_of_work import UnitOfWork

REQUIRING = '%"requires":%'
"""In the body of a unit that requires others: what is at its default is left out of bodies."""
decoder = msgspec.json.Decoder(tuple[str, ...])


def states_of(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, State]:
    """What units said last, by key, of those that are hosted now: a session that has ended says
    nothing."""
    status = control_unit_status.c
    found: dict[int, State] = {}
    for some in batches(sorted(set(keys))):
        query = (
            select(status.key, status.state)
            .join(lease, lease.c.session == status.session)
            .where(status.key.in_(some), lease.c.ended.is_(False))
        )
        found |= {key: State(state) for key, state in unit.connection.execute(query)}
    return found


def members_of(unit: UnitOfWork, units: Sequence[ControlUnit]) -> list[Member]:
    """Units as members, in the same order."""
    states = states_of(unit, [each.meta.key for each in units])
    return [
        Member(
            id=each.id,
            unit_server=each.unit_server,
            level=each.level,
            requires=each.requires,
            after=each.after,
            state=states.get(each.meta.key, State.UNSPECIFIED),
            desired=each.desired_state,
        )
        for each in units
    ]


def required_by(unit: UnitOfWork, chosen: Sequence[ControlUnit]) -> list[Member]:
    """The units besides the chosen ones that these require."""
    taken = {each.meta.key for each in chosen}
    wanted = sorted({on for each in chosen for on in each.requires})
    groups = [each for each in wanted if is_group(each)]
    conditions = [
        *(control_unit.c.id.in_(some) for some in batches([w for w in wanted if not is_group(w)])),
        *(and_(*id_range(control_unit.c.id, prefix=each)) for each in groups),
    ]
    # One by one: joined by OR, no database finds all of them by indexes.
    found = {
        each.meta.key: each
        for condition in conditions
        for each in unit.resources.where(ControlUnit, condition)
    }
    return members_of(unit, [each for key, each in found.items() if key not in taken])


def requiring(unit: UnitOfWork, chosen: Sequence[ControlUnit]) -> list[Member]:
    """The units besides the chosen ones that require them, directly or through others; without
    their levels and unit servers."""
    said = func.json_extract(control_unit.c.body, "$.requires")
    query = select(control_unit.c.key, control_unit.c.id, said).where(
        control_unit.c.depends == 1, control_unit.c.body.like(REQUIRING)
    )
    members = {
        key: Member(id=id, requires=decoder.decode(requires), state=State.RUNNING)
        for key, id, requires in unit.connection.execute(query)
        if requires is not None
    }
    # Whom it hits if all of them run: only of those has to be known whether they do.
    reached = blast_radius((each.id for each in chosen), members.values())
    found = {key: each for key, each in members.items() if each.id in reached}
    states = states_of(unit, found)
    return [replace(each, state=states.get(key, State.UNSPECIFIED)) for key, each in found.items()]
