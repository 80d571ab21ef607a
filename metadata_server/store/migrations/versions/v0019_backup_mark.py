"""Of when the last backup is: metadata servers tell its age."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_table
from metadata_server.store.migrations.versions.v0001_first_tables import KEY, OPTIONS

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "backup_mark",
        sa.Column("one", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("one"),
        **OPTIONS,
    )
