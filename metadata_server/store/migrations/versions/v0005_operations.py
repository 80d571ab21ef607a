"""Tables of operations and of their steps."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_index, create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    ID,
    KEY,
    OPTIONS,
    WORD,
)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COUNTS = ("steps", "pending", "executing", "completed", "failed", "aborted", "skipped")


def upgrade() -> None:
    create_table(
        "operation",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("verb", WORD, nullable=False),
        sa.Column("phase", WORD, nullable=False),
        sa.Column("minor_state", WORD, nullable=False),
        sa.Column("message", DOCUMENT, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("reason", DOCUMENT, nullable=False),
        *(sa.Column(each, sa.Integer(), nullable=False) for each in COUNTS),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("start_time_us", KEY, nullable=False),
        sa.Column("end_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("sign_of_life_us", KEY, nullable=False),
        sa.Column("deadline_us", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("replica", sa.String(255), nullable=False),
        sa.Column("fence", KEY, nullable=False),
        sa.Column("due_us", KEY, nullable=True),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="operation_id"),
        **OPTIONS,
    )
    for column in ("create_time_us", "due_us"):
        create_index(f"operation_{column}", "operation", [column], unique=False)
    create_table(
        "operation_step",
        sa.Column("operation_key", KEY, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit_key", KEY, nullable=False),
        sa.Column("control_unit", ID, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("minor_state", WORD, nullable=False),
        sa.Column("message", DOCUMENT, nullable=False),
        sa.Column("is_way_back", sa.Boolean(), nullable=False),
        sa.Column("target", WORD, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("recover_count", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("start_time_us", KEY, nullable=False),
        sa.Column("end_time_us", KEY, nullable=False),
        sa.Column("deadline_us", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("operation_key", "position"),
        **OPTIONS,
    )
    create_index("operation_step_unit", "operation_step", ["unit_key", "state"], unique=False)
    create_index("operation_step_state", "operation_step", ["operation_key", "state"], unique=False)
