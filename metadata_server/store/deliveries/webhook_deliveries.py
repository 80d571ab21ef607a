"""Deliveries of webhooks, and the secrets that they are signed with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.change import Position
from metadata_server.domain.deliveries.delivery import Delivery, DeliveryState, DeliveryType
from metadata_server.domain.deliveries.signature import Secret
from metadata_server.domain.filter.asked_list import AskedList, ListPage
from metadata_server.store.chores import trim
from metadata_server.store.deliveries.webhook_tables import webhook_delivery as table
from metadata_server.store.deliveries.webhook_tables import webhook_secret as secret_table
from metadata_server.store.deliveries.webhooks import next_number
from metadata_server.store.filter.record_sources import DELIVERIES
from metadata_server.store.keys import batches
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_rows

REPEATED = frozenset({DeliveryType.CHANGES, DeliveryType.MISSED})
"""What is tried until it arrives; the rest is tried once."""
ENDED = (DeliveryState.DELIVERED, DeliveryState.FAILED)
PLAIN = (
    "number",
    "id",
    "events",
    "create_time_us",
    "attempt_time_us",
    "attempts",
    "http_status",
    "duration_us",
    "error",
    "replica",
    "redelivery_of",
)


def add_delivery(unit: UnitOfWork, wanted: Delivery, *, fence: int | None) -> Delivery:
    """Takes a delivery down before it is tried; gives it its number and its id.

    Args:
        fence: that the webhook still has; None: whoever delivers it.

    Raises:
        Fenced: it has another one.
    """
    number = next_number(unit, wanted.webhook_key, fence=fence)
    # With the epoch: in a database that was restored numbers come again, for other changes.
    id = f"msg_{wanted.webhook_key:x}_{unit.position.epoch}_{number}"
    made = replace(wanted, number=number, id=id, create_time_us=unit.now_us)
    row = {
        **{each: getattr(made, each) for each in PLAIN},
        "webhook_key": made.webhook_key,
        "type": made.type.value,
        "state": made.state.value,
        "store_id": made.position.store_id,
        "after_epoch": made.after.epoch,
        "after_revision": made.after.revision,
        "epoch": made.position.epoch,
        "revision": made.position.revision,
        # What is tried once, and was not for its replica has died, is not kept for ever.
        "end_time_us": None if made.type in REPEATED else unit.now_us,
    }
    insert_rows(unit.connection, table, [row])
    return made


def write_delivery(unit: UnitOfWork, delivery: Delivery) -> None:
    """Writes what has come of a delivery."""
    unit.connection.execute(
        table.update()
        .where(table.c.webhook_key == delivery.webhook_key, table.c.number == delivery.number)
        .values(
            state=delivery.state.value,
            attempt_time_us=delivery.attempt_time_us,
            end_time_us=unit.now_us if delivery.state in ENDED else None,
            attempts=delivery.attempts,
            http_status=delivery.http_status,
            duration_us=delivery.duration_us,
            error=delivery.error,
            replica=delivery.replica,
        )
    )


def pending_delivery(unit: UnitOfWork, key: int) -> Delivery | None:
    """What a webhook has to deliver before anything else; None: nothing."""
    query = select(table).where(
        table.c.webhook_key == key,
        table.c.state == DeliveryState.PENDING.value,
        table.c.type.in_(sorted(REPEATED)),
    )
    row = unit.connection.execute(query.order_by(table.c.number).limit(1)).mappings().first()
    return None if row is None else delivery_from(row)


def give_up_pending(unit: UnitOfWork, key: int, why: str) -> None:
    """What a webhook was to deliver is not delivered any more."""
    unit.connection.execute(
        table.update()
        .where(table.c.webhook_key == key, table.c.state == DeliveryState.PENDING.value)
        .values(state=DeliveryState.FAILED.value, end_time_us=unit.now_us, error=why)
    )


def delivery_of(unit: UnitOfWork, key: int, id: str) -> Delivery | None:
    """The delivery of an id; None: there is none."""
    number = id.rpartition("_")[2]
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    query = select(table).where(
        table.c.webhook_key == key, table.c.number == int(number), table.c.id == id
    )
    row = unit.connection.execute(query).mappings().first()
    return None if row is None else delivery_from(row)


def delivery_page(unit: UnitOfWork, key: int, asked: AskedList) -> ListPage[Delivery]:
    """One page of the deliveries of a webhook.

    Raises:
        Refused: INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
    """
    page = DELIVERIES.page(unit, select(table).where(table.c.webhook_key == key), asked)
    return ListPage([delivery_from(row) for row in page.items], page.next_page_token)


def delivery_from(row: RowMapping) -> Delivery:
    store_id = row["store_id"]
    return Delivery(
        webhook_key=row["webhook_key"],
        type=DeliveryType(row["type"]),
        state=DeliveryState(row["state"]),
        after=Position(store_id, row["after_epoch"], row["after_revision"]),
        position=Position(store_id, row["epoch"], row["revision"]),
        **{each: row[each] for each in PLAIN},
    )


def trim_deliveries(unit: UnitOfWork, before_us: int) -> int:
    return trim(unit, table, table.c.end_time_us, before_us)


def secrets_of(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, tuple[Secret, ...]]:
    """Secrets that are used now, by webhook; the newest first."""
    found: dict[int, tuple[Secret, ...]] = {}
    for some in batches(sorted(keys)):
        query = select(secret_table).where(
            secret_table.c.webhook_key.in_(some),
            (secret_table.c.end_time_us == 0) | (secret_table.c.end_time_us > unit.now_us),
        )
        rows = unit.connection.execute(query.order_by(secret_table.c.set_time_us.desc()))
        for row in rows.mappings():
            key = row["webhook_key"]
            found[key] = (*found.get(key, ()), secret_from(row))
    return found


def secret_from(row: RowMapping) -> Secret:
    return Secret(
        text=row["secret"],
        set_time_us=row["set_time_us"],
        author=row["author"],
        reason=row["reason"],
        end_time_us=row["end_time_us"],
    )


def set_secret(unit: UnitOfWork, key: int, new: Sequence[Secret], *, keep_old_us: int) -> None:
    """Has a webhook use another secret; those before go on for a while.

    Args:
        new: one, or none.
    """
    mine = secret_table.c.webhook_key == key
    past = (secret_table.c.end_time_us != 0) & (secret_table.c.end_time_us <= unit.now_us)
    unit.connection.execute(secret_table.delete().where(mine, past))
    end_us = unit.now_us + keep_old_us
    longer = (secret_table.c.end_time_us == 0) | (secret_table.c.end_time_us > end_us)
    unit.connection.execute(secret_table.update().where(mine, longer).values(end_time_us=end_us))
    rows = [
        {
            "webhook_key": key,
            "set_time_us": each.set_time_us,
            "secret": each.text,
            "author": each.author,
            "reason": each.reason,
            "end_time_us": 0,
        }
        for each in new
    ]
    insert_rows(unit.connection, secret_table, rows)
