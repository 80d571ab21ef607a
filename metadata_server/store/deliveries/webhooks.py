"""How far webhooks are: claimed by replicas, and written under a fence, as operations are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import RowMapping

from metadata_server.domain.change import Position
from metadata_server.domain.deliveries.delivery import Course, Gap
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.names import Kind
from metadata_server.store.codec import build, data_of, text_of
from metadata_server.store.deliveries.webhook_tables import webhook_course as table
from metadata_server.store.deliveries.webhook_tables import webhook_delivery, webhook_secret
from metadata_server.store.due import is_due
from metadata_server.store.keys import TUPLES, batches, is_one_of
from metadata_server.store.orchestration.operations import Fenced
from metadata_server.store.schema import name, webhook
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from metadata_server.store.upsert import insert_missing

CLAIMED_AT_ONCE = 20
HELD_BY_NOBODY = {"due_us": 0, "replica": ""}
NO_FAILURE = {
    "failing_since_us": 0,
    "next_time_us": 0,
    "attempts": 0,
    "http_status": 0,
    "error": "",
}
NO_PAST = {**HELD_BY_NOBODY, "delivery_time_us": 0, **NO_FAILURE, "gap": ""}


def due_webhooks(unit: UnitOfWork) -> list[int]:
    """Keys of some enabled webhooks that nobody delivers, those that waited longest first."""
    query = (
        select(webhook.c.key)
        .outerjoin(table, table.c.webhook_key == webhook.c.key)
        .where(
            webhook.c.enabled.is_(True),
            table.c.due_us.is_(None) | is_due(table.c.due_us, unit.now_us),
        )
        .order_by(table.c.due_us, webhook.c.key)
        .limit(CLAIMED_AT_ONCE)
    )
    return list(unit.connection.scalars(query))


def begin_course(unit: UnitOfWork, key: int) -> None:
    """Has a webhook begin after the revision that it came with, if it has not begun yet."""
    if course_of(unit, key) is not None:
        return
    row = {
        "webhook_key": key,
        **position_columns(first_position(unit, key)),
        **NO_PAST,
        "fence": unit.position.epoch,  # as of a restored store, that nobody holds one from before
        "number": 0,
    }
    insert_missing(unit.connection, table, [row])


def begin_again(unit: UnitOfWork, keys: Iterable[int]) -> None:
    """Has webhooks that are brought back begin after the revision that brings them.

    Whether they had begun or not: one may have been claimed just when it was deleted.
    """
    begin = {**position_columns(unit.position), **NO_PAST}
    for some in batches(sorted(keys)):
        returning = table.update().where(table.c.webhook_key.in_(some))
        unit.connection.execute(returning.values(**begin, fence=table.c.fence + 1))


def first_position(unit: UnitOfWork, key: int) -> Position:
    """Where a webhook came to be, or came back: the begin of its unbroken span of names."""
    query = select(name.c.from_revision, name.c.to_revision).where(name.c.key == key)
    spans = unit.connection.execute(query.order_by(name.c.from_revision.desc())).all()
    begin = unit.position.revision
    for place, span in enumerate(spans):
        if place and span.to_revision != begin:
            break
        begin = span.from_revision
    present = unit.position
    return Position(present.store_id, present.epoch, begin)


def claim_webhook(unit: UnitOfWork, key: int, *, replica: str, lease_us: int) -> int | None:
    """Takes a webhook that is due; the number of its fence, or None: another has it."""
    begin_course(unit, key)
    now = unit.database.now_us
    claiming = table.update().where(table.c.webhook_key == key, is_due(table.c.due_us, now))
    taken = unit.connection.execute(
        claiming.values(due_us=now + lease_us, replica=replica, fence=table.c.fence + 1)
    )
    if taken.rowcount != 1:
        return None
    query = select(table.c.fence).where(table.c.webhook_key == key)
    return int(unit.connection.execute(query).scalar_one())


def keep_webhooks(unit: UnitOfWork, held: Mapping[int, int], *, lease_us: int) -> set[int]:
    """Goes on holding webhooks, by key their fences; the keys of those that are still ours."""
    ours: set[int] = set()
    for some in batches(sorted(held.items()), TUPLES):
        are_ours = is_one_of((table.c.webhook_key, table.c.fence), some)
        keeping = update(table).where(are_ours)
        unit.connection.execute(keeping.values(due_us=unit.database.now_us + lease_us))
        ours |= set(unit.connection.scalars(select(table.c.webhook_key).where(are_ours)))
    return ours


def release_webhooks(unit: UnitOfWork, held: Iterable[tuple[int, int]]) -> None:
    """Has others deliver webhooks at once, as far as they are still ours.

    Args:
        held: keys and fences.
    """
    for key, fence in sorted(held):
        # With another fence: what we had begun to write may come after this.
        write_course(
            unit, key, fence, due_us=unit.now_us, replica="", fence_step=1, may_be_lost=True
        )


def write_course(
    unit: UnitOfWork,
    key: int,
    fence: int,
    *,
    fence_step: int = 0,
    may_be_lost: bool = False,
    **columns: Any,
) -> None:
    """Writes how far a webhook is that is ours.

    Raises:
        Fenced: it is not ours any more.
    """
    writing = table.update().where(table.c.webhook_key == key, table.c.fence == fence)
    written = unit.connection.execute(writing.values(**columns, fence=fence + fence_step))
    if written.rowcount != 1 and not may_be_lost:
        raise Fenced


def rewind(unit: UnitOfWork, key: int, position: Position) -> None:
    """Has a webhook go on after a position, whoever delivers it now."""
    begin_course(unit, key)
    taking = table.update().where(table.c.webhook_key == key)
    unit.connection.execute(
        taking.values(
            **position_columns(position),
            **NO_FAILURE,
            due_us=unit.now_us,
            replica="",
            fence=table.c.fence + 1,
        )
    )


def next_number(unit: UnitOfWork, key: int, *, fence: int | None) -> int:
    """The number of a new delivery; locks the course of the webhook.

    Args:
        fence: that it still has; None: whoever delivers it.

    Raises:
        Fenced: it has another one.
    """
    counting = table.update().where(table.c.webhook_key == key)
    if fence is not None:
        counting = counting.where(table.c.fence == fence)
    if unit.connection.execute(counting.values(number=table.c.number + 1)).rowcount != 1:
        raise Fenced if fence is not None else LostRace
    query = select(table.c.number).where(table.c.webhook_key == key)
    return int(unit.connection.execute(query).scalar_one())


def course_of(unit: UnitOfWork, key: int) -> Course | None:
    """How far a webhook is; None: nobody has begun with it."""
    return courses_of(unit, [key]).get(key)


def courses_of(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, Course]:
    found = {}
    for some in batches(sorted(keys)):
        query = select(table).where(table.c.webhook_key.in_(some))
        for row in unit.connection.execute(query).mappings():
            found[row["webhook_key"]] = course_from(row)
    return found


def course_from(row: RowMapping) -> Course:
    return Course(
        key=row["webhook_key"],
        position=Position(row["store_id"], row["epoch"], row["revision"]),
        gap=build(Gap, data_of(row["gap"])) if row["gap"] else None,
        **{
            each: row[each]
            for each in ("fence", "replica", "number", "delivery_time_us", *NO_FAILURE)
        },
    )


def position_columns(position: Position) -> dict[str, Any]:
    return asdict(position)


def gap_text(gap: Gap) -> str:
    return text_of(asdict(gap))


def webhook_of(unit: UnitOfWork, key: int) -> Webhook | None:
    """The webhook of a key; None: it is gone."""
    return unit.resources.of_keys(Webhook, [key]).get(key)


def key_of_webhook(unit: UnitOfWork, id: str) -> int:
    """Raises: Refused: WEBHOOK_NOT_FOUND."""
    return unit.keys.key_of(Kind.WEBHOOK, id)


def remove_webhooks(unit: UnitOfWork, keys: Iterable[int]) -> None:
    """Forgets what deleted webhooks had: secrets, deliveries, how far they were.

    Their fences and the numbers of their deliveries stay, and go on when they are brought back:
    who is still sending for one would else hold it again, and what it sends then would have ids
    that receivers have seen.
    """
    gone = sorted(keys)
    for some in batches(gone):
        ending = table.update().where(table.c.webhook_key.in_(some))
        unit.connection.execute(ending.values(**NO_PAST, fence=table.c.fence + 1))
        for each in (webhook_secret, webhook_delivery):
            unit.connection.execute(each.delete().where(each.c.webhook_key.in_(some)))
