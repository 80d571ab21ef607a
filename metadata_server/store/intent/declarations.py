"""What units were declared to be before, and what is worth looking at of those that are hosted."""

from __future__ import annotations

from typing import NamedTuple, cast

from sqlalchemy import select

from metadata_server.domain.change import Action
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.names import Kind
from metadata_server.store.past.history import image_of_row, learn_references, resource_of
from metadata_server.store.schema import (
    control_unit,
    control_unit_status,
    history,
    lease,
    unit_condition,
)
from metadata_server.store.unit_of_work import UnitOfWork


def former_declarations(unit: UnitOfWork, key: int, *, limit: int) -> list[ControlUnit]:
    """A unit as it was declared, the newest first, as far as it is kept."""
    query = (
        select(history)
        .where(history.c.key == key, history.c.action != Action.DELETED.value)
        .order_by(history.c.revision.desc())
        .limit(limit)
    )
    images = [image_of_row(row) for row in unit.connection.execute(query)]
    learn_references(unit.keys, Kind.CONTROL_UNIT, (image.data for image in images))
    return [cast(ControlUnit, resource_of(image, unit.keys)) for image in images]


class Hosted(NamedTuple):
    """The little of a hosted unit that tells whether anything has changed since it was last
    looked at."""

    key: int
    generation: int
    session: str
    sequence: int
    dataset: str
    has_conditions: bool


def hosted_after(unit: UnitOfWork, key: int, *, limit: int) -> list[Hosted]:
    """Units of sessions that have not ended, by key, after one."""
    status = control_unit_status.c
    held = (
        select(unit_condition.c.key)
        .where(unit_condition.c.key == control_unit.c.key)
        .correlate(control_unit)
        .exists()
    )
    query = (
        select(
            control_unit.c.key,
            control_unit.c.generation,
            status.session,
            status.sequence,
            status.dataset,
            held,
        )
        .join(control_unit_status, status.key == control_unit.c.key)
        .join(lease, lease.c.session == status.session)
        .where(lease.c.ended.is_(False), control_unit.c.key > key)
        .order_by(control_unit.c.key)
        .limit(limit)
    )
    return [Hosted._make(row) for row in unit.connection.execute(query)]
