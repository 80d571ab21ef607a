"""Tables of machine modes and guards."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    ID,
    KEY,
    OPTIONS,
)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, columns in (
        ("machine_mode", ()),
        ("guard", (sa.Column("machine_mode_key", KEY, nullable=False),)),
    ):
        create_table(
            table,
            sa.Column("key", KEY, autoincrement=False, nullable=False),
            sa.Column("id", ID, nullable=False),
            sa.Column("generation", KEY, nullable=False),
            sa.Column("revision", KEY, nullable=False),
            sa.Column("create_time_us", KEY, nullable=False),
            sa.Column("update_time_us", KEY, nullable=False),
            sa.Column("body", DOCUMENT, nullable=False),
            *columns,
            sa.PrimaryKeyConstraint("key"),
            sa.UniqueConstraint("id", name=f"{table}_id"),
            **OPTIONS,
        )
