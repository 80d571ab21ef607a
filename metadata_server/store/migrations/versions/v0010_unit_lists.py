"""A table of saved lists of control units."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    ID,
    KEY,
    OPTIONS,
)

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "unit_list",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="unit_list_id"),
        **OPTIONS,
    )
