"""What of a restored store must not go on as if nothing had happened.

What there is much of is settled before the store is opened, in parts that a cluster takes in one
transaction: lives of units, fences of operations. The rest is one transaction with the counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from metadata_server.domain.life.session import EndReason
from metadata_server.domain.orchestration.operation import ENDED_PHASES, Operation
from metadata_server.store.deliveries.webhook_tables import webhook_course
from metadata_server.store.keys import batches
from metadata_server.store.life.endings import Ending, end_lives
from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.orchestration.operations import operations_of
from metadata_server.store.schema import instantiation, lease
from metadata_server.store.unit_of_work import UnitOfWork

ROWS_A_PART = 1_000
Part = Callable[[Connection], None]


def parts(connection: Connection, *, now_us: int, epoch: int) -> Iterator[Part]:
    """Transactions that come before the last one, each of about so many rows.

    Args:
        epoch: where the store will go on, or one before.
    """
    packed: dict[str, int] = {}
    rows = 0
    for session, end_us, lives in open_lives(connection):
        if packed and rows + lives > ROWS_A_PART:
            yield partial(end_lives, ends=packed, reason=EndReason.LEASE_ENDED)
            packed, rows = {}, 0
        packed[session] = min(end_us, now_us)
        rows += lives
    if packed:
        yield partial(end_lives, ends=packed, reason=EndReason.LEASE_ENDED)
    highest = connection.execute(select(func.max(operation.c.fence))).scalar_one()
    beyond = max(epoch, (highest or 0) + 1)
    for keys in batches(
        list(connection.scalars(select(operation.c.key).order_by(operation.c.key)))
    ):
        yield partial(raise_some_fences, keys=keys, to=beyond)


def open_lives(connection: Connection) -> list[tuple[str, int, int]]:
    """Sessions that are open: each with the end of its lease, and how many units live in it. A
    session is a part by itself at most: its registration was one transaction, too."""
    query = (
        select(lease.c.session, lease.c.end_us, func.count())
        .join(instantiation, instantiation.c.session == lease.c.session)
        .where(lease.c.ended.is_(False), instantiation.c.end_time_us.is_(None))
        .group_by(lease.c.session, lease.c.end_us)
        .order_by(lease.c.session)
    )
    return [tuple(row) for row in connection.execute(query)]


def raise_some_fences(connection: Connection, *, keys: list[int], to: int) -> None:
    """No number of a fence that was given out after the backup is given out again: whoever still
    holds one is fenced off, and stays so. They go on from the epoch, which grows with time."""
    connection.execute(operation.update().where(operation.c.key.in_(keys)).values(fence=to))


def open_sessions(unit: UnitOfWork) -> list[Ending]:
    """How the sessions end that were open: with the leases that they had, by now at the latest."""
    query = select(lease.c.session, lease.c.unit_server_key, lease.c.end_us)
    rows = unit.connection.execute(query.where(lease.c.ended.is_(False)).order_by(lease.c.session))
    return [Ending(row.session, row.unit_server_key, min(row.end_us, unit.now_us)) for row in rows]


def open_operations(unit: UnitOfWork) -> list[Operation]:
    """Those that have not ended, locked, in the order of their keys."""
    ended = sorted(phase.value for phase in ENDED_PHASES)
    keys = unit.connection.scalars(select(operation.c.key).where(operation.c.phase.not_in(ended)))
    found = operations_of(unit, keys, lock=True)
    return [found[key] for key in sorted(found)]


def free_held(unit: UnitOfWork) -> None:
    """What somebody held is free to be taken, by a number of a fence that nobody was given."""
    epoch = unit.position.epoch
    beyond = case((webhook_course.c.fence < epoch, epoch), else_=webhook_course.c.fence + 1)
    unit.connection.execute(webhook_course.update().values(fence=beyond, due_us=0, replica=""))
    waiting = operation.update().where(operation.c.due_us.is_not(None))
    unit.connection.execute(waiting.values(due_us=unit.now_us, replica=""))
