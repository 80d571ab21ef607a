"""Steps of an operation that have not ended, as far as others may wait for them: little of each,
of all of them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from metadata_server.domain.orchestration.advance import ENDED, StepState
from metadata_server.store.codec import data_of
from metadata_server.store.orchestration.operation_tables import operation_step as table
from metadata_server.store.unit_of_work import UnitOfWork

OPEN = sorted(set(StepState) - ENDED)


class OpenStep(NamedTuple):
    """One that has not ended; see `Step`."""

    id: str
    state: StepState
    is_way_back: bool
    level: int
    unit_server: str
    requires: tuple[str, ...]
    after: tuple[str, ...]


def open_steps(unit: UnitOfWork, operation_key: int) -> list[OpenStep]:
    """Those of an operation, by position."""
    columns = (table.c.control_unit, table.c.state, table.c.is_way_back, table.c.body)
    query = (
        select(*columns)
        .where(table.c.operation_key == operation_key, table.c.state.in_(OPEN))
        .order_by(table.c.position)
    )
    found = []
    for id, state, is_way_back, body in unit.connection.execute(query):
        data = data_of(body)  # without what is at its default
        found.append(
            OpenStep(
                id,
                StepState(state),
                is_way_back,
                data.get("level", 0),
                data.get("unit_server", ""),
                tuple(data.get("requires", ())),
                tuple(data.get("after", ())),
            )
        )
    return found
