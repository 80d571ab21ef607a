"""Tables of webhooks, of how far each is, of their secrets, and of their deliveries."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_index, create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    ID,
    KEY,
    OPTIONS,
    WORD,
    ascii_text,
)

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "webhook",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="webhook_id"),
        **OPTIONS,
    )
    create_table(
        "webhook_course",
        sa.Column("webhook_key", KEY, autoincrement=False, nullable=False),
        sa.Column("store_id", ascii_text(36), nullable=False),
        sa.Column("epoch", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("due_us", KEY, nullable=False),
        sa.Column("fence", KEY, nullable=False),
        sa.Column("replica", sa.String(255), nullable=False),
        sa.Column("number", KEY, nullable=False),
        sa.Column("delivery_time_us", KEY, nullable=False),
        sa.Column("failing_since_us", KEY, nullable=False),
        sa.Column("next_time_us", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=False),
        sa.Column("error", DOCUMENT, nullable=False),
        sa.Column("gap", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("webhook_key"),
        **OPTIONS,
    )
    create_table(
        "webhook_secret",
        sa.Column("webhook_key", KEY, autoincrement=False, nullable=False),
        sa.Column("set_time_us", KEY, autoincrement=False, nullable=False),
        sa.Column("secret", ascii_text(128), nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("reason", DOCUMENT, nullable=False),
        sa.Column("end_time_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("webhook_key", "set_time_us"),
        **OPTIONS,
    )
    create_table("webhook_delivery", *delivery_columns(), **OPTIONS)
    create_index("webhook_delivery_end", "webhook_delivery", ["end_time_us"], unique=False)


def delivery_columns() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("webhook_key", KEY, autoincrement=False, nullable=False),
        sa.Column("number", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ascii_text(64), nullable=False),
        sa.Column("type", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("store_id", ascii_text(36), nullable=False),
        sa.Column("after_epoch", KEY, nullable=False),
        sa.Column("after_revision", KEY, nullable=False),
        sa.Column("epoch", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("attempt_time_us", KEY, nullable=False),
        sa.Column("end_time_us", KEY, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=False),
        sa.Column("duration_us", KEY, nullable=False),
        sa.Column("error", DOCUMENT, nullable=False),
        sa.Column("replica", sa.String(255), nullable=False),
        sa.Column("redelivery_of", ascii_text(64), nullable=False),
        sa.PrimaryKeyConstraint("webhook_key", "number"),
    ]
