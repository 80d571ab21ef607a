"""Operations in their table: created, claimed by replicas, and written under a fence.

Each change is also a small image at its revision, of kind `operation`: the columns of `IMAGED`
and the counts that are not at their defaults. What people set of an operation, its author and
its reason never change and stand in its row alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.access.role import Role
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.operation import Operation, Order, Phase, StepCounts
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused
from metadata_server.store.codec import build, data_of, plain, text_of
from metadata_server.store.due import is_due
from metadata_server.store.keys import batches
from metadata_server.store.orchestration.operation_tables import operation as table
from metadata_server.store.schema import name
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

IMAGED = (
    "phase",
    "minor_state",
    "message",
    "start_time_us",
    "end_time_us",
    "update_time_us",
    "deadline_us",
)
COUNTS = tuple(each.name for each in fields(StepCounts))
CLAIMED_AT_ONCE = 20


def insert_operation(unit: UnitOfWork, operation: Operation, *, due_us: int | None) -> Operation:
    """Writes a new operation at this transaction's revision.

    Args:
        due_us: when a replica may claim it; None: nobody needs to.
    """
    stamped = stamp(unit, operation)
    unit.connection.execute(table.insert().values(row_of(stamped, due_us)))
    unit.connection.execute(
        name.insert().values(
            kind=Kind.OPERATION.value,
            id=operation.id,
            from_revision=stamped.revision,
            key=operation.key,
        )
    )
    return stamped


def stamp(unit: UnitOfWork, operation: Operation) -> Operation:
    """An operation at this transaction's revision, with its image."""
    moment = unit.claim()
    stamped = replace(operation, revision=moment.position.revision, update_time_us=moment.now_us)
    unit.add_status_image(Kind.OPERATION, operation.key, "", image_of(stamped))
    return stamped


def row_of(operation: Operation, due_us: int | ColumnElement[int] | None) -> dict[str, Any]:
    columns = {each.name for each in table.c} - {"verb", "due_us", "body", "steps", *COUNTS}
    order = replace(operation.order, unit_edits=())  # they stand with the steps
    body = {"order": plain(order), "estimate_us": operation.estimate_us}
    if operation.trace:
        body["trace"] = operation.trace
    body["role"] = operation.role.value
    return {
        **{each: getattr(operation, each) for each in columns},
        **asdict(operation.counts),
        "steps": operation.counts.steps,
        "phase": operation.phase.value,
        "verb": operation.order.verb.value,
        "due_us": due_us,
        "body": text_of(body),
    }


def operation_from(row: RowMapping | Mapping[str, Any]) -> Operation:
    body = data_of(row["body"])
    taken = {each.name for each in fields(Operation)} & {each.name for each in table.c}
    return Operation(
        **{each: row[each] for each in taken - {"phase"}},
        phase=Phase(row["phase"]),
        order=build(Order, body["order"]),
        estimate_us=body["estimate_us"],
        trace=body.get("trace", ""),
        role=role_from(row["verb"], body),
        counts=StepCounts(**{each: row[each] for each in COUNTS}),
    )


def role_from(verb: str, body: Mapping[str, Any]) -> Role:
    """The role that an operation took. Releases that asked every caller for the same one did not
    write it down: what such an edit is about is not looked up, it may stand with thousands of steps."""
    if "role" in body:
        return Role(body["role"])
    return Role.EXPERT if verb == Verb.EDIT.value else Role.OPERATOR


def image_of(operation: Operation) -> str:
    image = {each: getattr(operation, each) for each in IMAGED} | asdict(operation.counts)
    return text_of({each: value for each, value in image.items() if value})


def with_image(operation: Operation, image: Mapping[str, Any], revision: int) -> Operation:
    """An operation as it was at the revision of an image."""
    unset = {each: "" if isinstance(getattr(operation, each), str) else 0 for each in IMAGED}
    found = {each: image.get(each, unset[each]) for each in IMAGED}
    found["phase"] = Phase(found["phase"])
    counts = StepCounts(**{each: image.get(each, 0) for each in COUNTS})
    return replace(operation, **found, counts=counts, revision=revision)


def get_operation(unit: UnitOfWork, id: str, *, lock: bool = False) -> Operation:
    """The operation of an id.

    Raises:
        Refused: OPERATION_NOT_FOUND.
    """
    query = select(table).where(table.c.id == id)
    row = unit.connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise Refused.not_found(
            Kind.OPERATION.not_found,
            f"There is no operation {id!r}.",
            name=Kind.OPERATION.name_of(id),
        )
    return operation_from(row)


def operations_of(
    unit: UnitOfWork, keys: Iterable[int], *, lock: bool = False
) -> dict[int, Operation]:
    """Operations by key, of those that are there; locked in key order."""
    found: dict[int, Operation] = {}
    for some in batches(sorted(set(keys))):
        query = select(table).where(table.c.key.in_(some)).order_by(table.c.key)
        rows = unit.connection.execute(query.with_for_update() if lock else query)
        found |= {row["key"]: operation_from(row) for row in rows.mappings()}
    return found


def due_operations(unit: UnitOfWork) -> list[int]:
    """Keys of some operations that nobody carries on and somebody should, the oldest first."""
    query = select(table.c.key).where(is_due(table.c.due_us, unit.now_us))
    return list(unit.connection.scalars(query.order_by(table.c.due_us).limit(CLAIMED_AT_ONCE)))


def claim_operation(unit: UnitOfWork, key: int, *, replica: str, lease_us: int) -> int | None:
    """Takes an operation that is due; the number of its fence, or None: another has it."""
    now = unit.database.now_us
    claiming = table.update().where(table.c.key == key, is_due(table.c.due_us, now))
    taken = unit.connection.execute(
        claiming.values(
            due_us=now + lease_us,
            sign_of_life_us=now,
            replica=replica,
            fence=table.c.fence + 1,
        )
    )
    if taken.rowcount != 1:
        return None
    return int(
        unit.connection.execute(select(table.c.fence).where(table.c.key == key)).scalar_one()
    )


class Fenced(Exception):
    """Another replica carries the operation on, or people have steered it: what was known of it
    may no longer be so."""


def keep_operation(unit: UnitOfWork, key: int, fence: int, *, lease_us: int) -> None:
    """Goes on holding an operation, and locks its row.

    Raises:
        Fenced: it is not ours any more.
    """
    now = unit.database.now_us
    keeping = table.update().where(table.c.key == key, table.c.fence == fence)
    kept = unit.connection.execute(keeping.values(due_us=now + lease_us, sign_of_life_us=now))
    if kept.rowcount != 1:
        raise Fenced


def release_operations(unit: UnitOfWork, held: Iterable[tuple[int, int]]) -> None:
    """Has others take operations up at once, as far as they are still ours.

    Args:
        held: keys and fences.
    """
    for key, fence in sorted(held):
        ours = table.update().where(
            table.c.key == key, table.c.fence == fence, table.c.due_us.is_not(None)
        )
        # With another fence: what we had begun to write may come after this.
        letting_go = ours.values(due_us=unit.now_us, replica="", fence=table.c.fence + 1)
        unit.connection.execute(letting_go)


def park_operation(unit: UnitOfWork, key: int, fence: int, *, due_us: int | None = None) -> None:
    """Lets go of an operation until people have it go on.

    Args:
        due_us: when a replica looks at it all the same; None: none does.

    Raises:
        Fenced: it is not ours any more.
    """
    parking = table.update().where(table.c.key == key, table.c.fence == fence)
    if unit.connection.execute(parking.values(due_us=due_us, replica="")).rowcount != 1:
        raise Fenced


def wake_held(unit: UnitOfWork) -> int:
    """Has operations that guards hold off looked at, as far as no replica carries them on; how
    many."""
    waiting = select(table.c.key).where(
        table.c.due_us > unit.now_us, table.c.phase == Phase.HELD.value
    )
    keys = sorted(unit.connection.scalars(waiting))
    woken = 0
    for some in batches(keys):
        parked = table.update().where(table.c.key.in_(some), table.c.replica == "")
        woken += unit.connection.execute(parked.values(due_us=unit.now_us)).rowcount
    return woken


def lease_end(unit: UnitOfWork, lease_us: int) -> ColumnElement[int]:
    """When a lease that is renewed now ends: by the clock at the time of writing, which may come
    seconds after the beginning of a large transaction."""
    return unit.database.now_us + lease_us


def write_operation(
    unit: UnitOfWork, operation: Operation, *, due_us: int | ColumnElement[int] | None, fence: int
) -> Operation:
    """Writes an operation at this transaction's revision, its row being locked.

    Args:
        due_us: when a replica may claim it; None: nobody needs to.
        fence: that it still has; what is written gets the operation's own.

    Raises:
        LostRace: it has another fence by now.
    """
    stamped = stamp(unit, operation)
    row = row_of(stamped, due_us)
    for constant in ("key", "id", "verb", "body"):
        del row[constant]
    row["sign_of_life_us"] = table.c.sign_of_life_us
    writing = table.update().where(table.c.key == operation.key, table.c.fence == fence)
    if unit.connection.execute(writing.values(**row)).rowcount != 1:
        raise LostRace
    return stamped
