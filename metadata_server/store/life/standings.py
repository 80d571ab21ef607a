"""The little of many units' statuses that registrations and reports build on, and what a
registration makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import select

from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import ERRORS, State
from metadata_server.domain.names import Kind
from metadata_server.store.codec import text_of
from metadata_server.store.keys import batches
from metadata_server.store.life.status_images import condition_images, packed
from metadata_server.store.schema import control_unit_status as table
from metadata_server.store.schema import unit_condition
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows


class Standing(NamedTuple):
    """Where a unit's status stands; a boot storm reads some ten thousands, and a named tuple is
    made in a tenth of a dataclass's time.

    Attributes:
        state: word of the state.
        reached_generation: of the unit's declaration.
        recovery: as `recovery_of` reads it.
        has_conditions: whether anything is stored that holds of the unit besides.
    """

    key: int
    session: str = ""
    sequence: int = 0
    state: str = ""
    state_time_us: int = 0
    dataset: str = ""
    fingerprint: str = ""
    reached_generation: int = 0
    recovery: str = ""
    has_conditions: bool = False

    @property
    def is_failing(self) -> bool:
        return bool(self.recovery) or self.state in ERRORS


COLUMNS = [
    *(table.c[name] for name in Standing._fields if name in table.c),
    select(unit_condition.c.key)
    .where(unit_condition.c.key == table.c.key)
    .correlate(table)
    .exists()
    .label("has_conditions"),
]


def standings_of(
    unit: UnitOfWork, keys: Iterable[int], *, lock: bool = False
) -> dict[int, Standing]:
    """Standings by key, of units that were ever hosted; locked in key order."""
    found: dict[int, Standing] = {}
    for some in batches(sorted(set(keys))):
        query = select(*COLUMNS).where(table.c.key.in_(some)).order_by(table.c.key)
        rows = unit.connection.execute(query.with_for_update() if lock else query)
        found |= {row[0]: Standing._make(row) for row in rows}
    return found


def messages_of(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, str]:
    """The last words of units, by key."""
    found: dict[int, str] = {}
    for some in batches(sorted(set(keys))):
        query = select(table.c.key, table.c.message).where(table.c.key.in_(some))
        found |= {row.key: row.message for row in unit.connection.execute(query)}
    return found


class Newcomer(NamedTuple):
    """A unit that a session takes in.

    Attributes:
        dataset: hash that counts as its dataset; empty: none is known.
        message: why it cannot be built; empty: it can.
        conditions: that go on holding of it.
    """

    key: int
    dataset: str
    message: str
    conditions: tuple[Condition, ...] = ()


def stamp(unit: UnitOfWork, session: Session, newcomers: Iterable[Newcomer]) -> None:
    """Makes units those of a session: nothing is built yet, and only its reports count."""
    moment = unit.claim()
    rows: list[dict[str, Any]] = []
    for key, dataset, message, conditions in newcomers:
        image: dict[str, Any] = {"state": State.UNLOADED.value}
        if message:
            image["message"] = message
        if dataset:
            image["dataset"] = packed(dataset)
        if conditions:
            image["conditions"] = condition_images(conditions, moment.now_us)
        unit.add_status_image(Kind.CONTROL_UNIT_STATUS, key, session.id, text_of(image))
        rows.append(
            {
                "key": key,
                "unit_server_key": session.unit_server_key,
                "session": session.id,
                "sequence": 0,
                "state": State.UNLOADED.value,
                "state_time_us": moment.now_us,
                "message": message,
                "reached_generation": 0,
                "reached_recover_count": 0,
                "dataset": dataset,
                "fingerprint": "",
                "unfenced": False,
                "recovery": "",
                "revision": moment.position.revision,
            }
        )
    upsert_rows(unit.connection, table, rows)
