"""The tables of webhooks besides what people declare; see `schema.py` for what holds of all."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table

from metadata_server.store.schema import DOCUMENT, KEY, OPTIONS, WORD, ascii_text, metadata

webhook_course = Table(
    "webhook_course",
    metadata,
    Column("webhook_key", KEY, primary_key=True, autoincrement=False),
    Column("store_id", ascii_text(36), nullable=False),
    Column("epoch", KEY, nullable=False),
    Column("revision", KEY, nullable=False),
    Column("due_us", KEY, nullable=False),
    Column("fence", KEY, nullable=False),
    Column("replica", String(255), nullable=False),
    Column("number", KEY, nullable=False),
    Column("delivery_time_us", KEY, nullable=False),
    Column("failing_since_us", KEY, nullable=False),
    Column("next_time_us", KEY, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("error", DOCUMENT, nullable=False),
    Column("gap", DOCUMENT, nullable=False),
    **OPTIONS,
)
"""How far each webhook is: everything up to store, epoch and revision has been delivered. A
replica delivers as long as `fence` is the number that it got when it claimed the webhook; `due_us`
is when the next may claim it. `number` is that of the newest delivery. Both only grow, for as long
as the key is known: the row of a webhook that was deleted stays."""

webhook_secret = Table(
    "webhook_secret",
    metadata,
    Column("webhook_key", KEY, nullable=False, autoincrement=False),
    Column("set_time_us", KEY, nullable=False, autoincrement=False),
    Column("secret", ascii_text(128), nullable=False),
    Column("author", String(255), nullable=False),
    Column("reason", DOCUMENT, nullable=False),
    Column("end_time_us", KEY, nullable=False),
    PrimaryKeyConstraint("webhook_key", "set_time_us"),
    **OPTIONS,
)
"""In no history, export or answer; `end_time_us` 0: until there is another."""

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("webhook_key", KEY, nullable=False, autoincrement=False),
    Column("number", KEY, nullable=False, autoincrement=False),
    Column("id", ascii_text(64), nullable=False),
    Column("type", WORD, nullable=False),
    Column("state", WORD, nullable=False),
    Column("store_id", ascii_text(36), nullable=False),
    Column("after_epoch", KEY, nullable=False),
    Column("after_revision", KEY, nullable=False),
    Column("epoch", KEY, nullable=False),
    Column("revision", KEY, nullable=False),
    Column("events", Integer, nullable=False),
    Column("create_time_us", KEY, nullable=False),
    Column("attempt_time_us", KEY, nullable=False),
    Column("end_time_us", KEY, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("duration_us", KEY, nullable=False),
    Column("error", DOCUMENT, nullable=False),
    Column("replica", String(255), nullable=False),
    Column("redelivery_of", ascii_text(64), nullable=False),
    PrimaryKeyConstraint("webhook_key", "number"),
    Index("webhook_delivery_end", "end_time_us"),
    **OPTIONS,
)
"""Each delivery is here before it is first tried: whoever goes on with it sends the same changes
under the same id. `end_time_us` is NULL as long as it is PENDING."""
