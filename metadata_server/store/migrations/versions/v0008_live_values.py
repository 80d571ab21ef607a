"""A table of what the inputs of control units are set to."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    KEY,
    OPTIONS,
    ascii_text,
)

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "live_value",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("session", ascii_text(36), nullable=False),
        sa.Column("sequence", KEY, nullable=False),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        **OPTIONS,
    )
