"""The little of many units' statuses that registrations and reports build on, and what a
registration makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import select

from metadata_server.domain.names import Kind
from metadata_server.domain.session import Session
from metadata_server.domain.state import State
from metadata_server.store.codec import text_of
from metadata_server.store.keys import batches
from metadata_server.store.revision import Moment
from metadata_server.store.schema import control_unit_status as table
from metadata_server.store.status_images import packed
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows


class Standing(NamedTuple):
    """Where a unit's status stands; a boot storm reads some ten thousands, and a named tuple is
    made in a tenth of a dataclass's time.

    Attributes:
        state: word of the state.
        reached_generation: of the unit's declaration.
    """

    key: int
    session: str = ""
    sequence: int = 0
    state: str = ""
    state_time_us: int = 0
    dataset: str = ""
    fingerprint: str = ""
    reached_generation: int = 0


COLUMNS = [table.c[name] for name in Standing._fields]


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


def last_datasets(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, Standing]:
    """Standings of units that a session is about to take in: only their datasets outlive the
    session before. Locked in key order."""
    found: dict[int, Standing] = {}
    for some in batches(sorted(set(keys))):
        query = select(table.c.key, table.c.dataset).where(table.c.key.in_(some))
        rows = unit.connection.execute(query.order_by(table.c.key).with_for_update())
        found |= {key: Standing(key, dataset=dataset) for key, dataset in rows}
    return found


class Newcomer(NamedTuple):
    """A unit that a session takes in.

    Attributes:
        is_known: its status has a row already.
        dataset: hash that counts as its dataset; empty: none is known.
        message: why it cannot be built; empty: it can.
    """

    key: int
    is_known: bool
    dataset: str
    message: str


def stamp(unit: UnitOfWork, session: Session, newcomers: Iterable[Newcomer]) -> None:
    """Makes units those of a session: nothing is built yet, and only its reports count.

    Rows that are there, and locked, are changed all at once: most units of a session differ in
    nothing but their key.
    """
    moment = unit.claim()
    alike: dict[tuple[bool, str, str], list[int]] = {}
    for key, is_known, dataset, message in newcomers:
        alike.setdefault((is_known, dataset, message), []).append(key)
    for (is_known, dataset, message), keys in alike.items():
        fresh = fresh_row(session, dataset, message, moment)
        if is_known:
            for some in batches(sorted(keys)):
                unit.connection.execute(table.update().where(table.c.key.in_(some)).values(fresh))
        else:
            upsert_rows(unit.connection, table, [{"key": key, **fresh} for key in keys])
        image = fresh_image(dataset, message)
        for key in keys:
            unit.add_status_image(Kind.CONTROL_UNIT_STATUS, key, session.id, image)


def fresh_row(session: Session, dataset: str, message: str, moment: Moment) -> dict[str, Any]:
    return {
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
        "revision": moment.position.revision,
    }


def fresh_image(dataset: str, message: str) -> str:
    image: dict[str, Any] = {"state": State.UNLOADED.value}
    if message:
        image["message"] = message
    if dataset:
        image["dataset"] = packed(dataset)
    return text_of(image)
