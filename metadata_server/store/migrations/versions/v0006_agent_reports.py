"""Tables of what agents report."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import create_index, create_table
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    KEY,
    OPTIONS,
    WORD,
    ascii_text,
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "agent_status",
        sa.Column("agent_key", KEY, autoincrement=False, nullable=False),
        sa.Column("incarnation", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", KEY, nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.Column("start_us", KEY, nullable=False),
        sa.Column("beat_us", KEY, nullable=False),
        sa.Column("lease_end_us", KEY, nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("processes", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("agent_key"),
        **OPTIONS,
    )
    create_table(
        "launched_process",
        sa.Column("unit_server_key", KEY, nullable=False),
        sa.Column("agent_key", KEY, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("pid", KEY, nullable=False),
        sa.Column("since_us", KEY, nullable=False),
        sa.Column("message", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("unit_server_key", "agent_key"),
        **OPTIONS,
    )
    create_index("launched_process_agent", "launched_process", ["agent_key"], unique=False)
    create_index("launched_process_state", "launched_process", ["state"], unique=False)
    create_table(
        "log_request",
        sa.Column("id", ascii_text(36), nullable=False),
        sa.Column("agent_key", KEY, nullable=False),
        sa.Column("unit_server_key", KEY, nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.Column("answer", DOCUMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    create_index("log_request_agent", "log_request", ["agent_key"], unique=False)
    create_index("log_request_time", "log_request", ["time_us"], unique=False)
