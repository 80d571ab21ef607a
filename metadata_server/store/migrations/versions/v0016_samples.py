"""The table of samples that charts are drawn from, and the chore of taking them."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_index, create_table, insert_row
from metadata_server.store.migrations.versions.v0001_first_tables import KEY, OPTIONS

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "sample",
        sa.Column("step_us", KEY, nullable=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.Column("span_us", KEY, nullable=False),
        sa.Column("registrations", KEY, nullable=False),
        sa.Column("changes", KEY, nullable=False),
        sa.Column("reports", KEY, nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("beat_median_us", KEY, nullable=False),
        sa.Column("beat_worst_us", KEY, nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("changing", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("warning", sa.Integer(), nullable=False),
        sa.Column("bad", sa.Integer(), nullable=False),
        sa.Column("in_maintenance", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("step_us", "time_us"),
        **OPTIONS,
    )
    create_index("session_start_time", "session", ["start_time_us"], unique=False)
    insert_row("chore", {"name": "sample", "due_us": 0})
