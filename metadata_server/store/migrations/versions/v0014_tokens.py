"""The table of tokens."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_index, create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    KEY,
    OPTIONS,
    WORD,
    ascii_text,
)

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "token",
        sa.Column("id", ascii_text(16), nullable=False),
        sa.Column("hash", ascii_text(80), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("program", sa.Boolean(), nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("reason", DOCUMENT, nullable=False),
        sa.Column("expire_time_us", KEY, nullable=False),
        sa.Column("revoke_time_us", KEY, nullable=False),
        sa.Column("revoker", sa.String(255), nullable=False),
        sa.Column("revoke_reason", DOCUMENT, nullable=False),
        sa.Column("last_use_time_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    create_index("token_create", "token", ["create_time_us", "id"], unique=False)
