"""A table of campaigns; operations and steps say which one they count for."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import add_column, create_index, create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    ID,
    KEY,
    OPTIONS,
)

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "campaign",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="campaign_id"),
        **OPTIONS,
    )
    add_column("operation", sa.Column("campaign_key", KEY, nullable=False, server_default="0"))
    create_index("operation_campaign", "operation", ["campaign_key"], unique=False)
    add_column("operation_step", sa.Column("campaign_key", KEY, nullable=True))
    add_column(
        "operation_step", sa.Column("earlier", sa.Integer(), nullable=False, server_default="0")
    )
    create_index(
        "operation_step_campaign",
        "operation_step",
        ["campaign_key", "state", "attempts", "earlier"],
        unique=False,
    )
