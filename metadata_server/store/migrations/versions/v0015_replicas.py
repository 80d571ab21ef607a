"""The table of replicas: the overview tells which serve, and which have been lost."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    KEY,
    OPTIONS,
    WORD,
)

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "replica",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", KEY, nullable=False),
        sa.Column("grpc_port", sa.Integer(), nullable=False),
        sa.Column("http_port", sa.Integer(), nullable=False),
        sa.Column("lag_us", KEY, nullable=False),
        sa.Column("followers", sa.Integer(), nullable=False),
        sa.Column("start_us", KEY, nullable=False),
        sa.Column("seen_us", KEY, nullable=False),
        sa.Column("database_node", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
