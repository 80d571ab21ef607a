"""The first tables: the revision with its epoch, history, intent apart from status, names apart
from keys, requests, sessions with leases, lives and published datasets.

Longer than other files on purpose: a migration is never changed again, and its steps are one."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from metadata_server.store.migrations.repeatable import create_index, create_table, insert_first

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.Text().with_variant(
    mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
)
OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_bin"),
    )
}


def ascii_text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"),
        "mysql",
        "mariadb",
    )


ID = ascii_text(255)
WORD = ascii_text(32)


def upgrade() -> None:
    create_orders()
    create_declared()
    create_life()
    first_rows()


def create_orders() -> None:
    """The counter, the history and what belongs to them."""
    create_table(
        "revision",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store_id", ascii_text(36), nullable=False),
        sa.Column("epoch", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("one"),
        **OPTIONS,
    )
    create_table(
        "change_set",
        sa.Column("revision", KEY, autoincrement=False, nullable=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("reason", DOCUMENT, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("method", ascii_text(64), nullable=False),
        sa.PrimaryKeyConstraint("revision"),
        **OPTIONS,
    )
    create_index("change_set_time", "change_set", ["time_us"], unique=False)
    create_table(
        "history",
        sa.Column("revision", KEY, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("action", WORD, nullable=False),
        sa.Column("image", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("revision", "ordinal"),
        sa.UniqueConstraint("key", "revision", name="history_key"),
        **OPTIONS,
    )
    create_table(
        "status_history",
        sa.Column("revision", KEY, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("session", ascii_text(36), nullable=False),
        sa.Column("image", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("revision", "ordinal"),
        sa.UniqueConstraint("key", "revision", name="status_history_key"),
        **OPTIONS,
    )
    create_index("status_history_time", "status_history", ["time_us"], unique=False)
    create_table(
        "name",
        sa.Column("kind", WORD, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("from_revision", KEY, nullable=False),
        sa.Column("to_revision", KEY, nullable=True),
        sa.Column("key", KEY, nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "from_revision"),
        **OPTIONS,
    )
    create_index("name_key", "name", ["key"], unique=False)
    create_table(
        "request",
        sa.Column("principal", sa.String(length=255), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("method", ascii_text(64), nullable=False),
        sa.Column("payload_hash", ascii_text(64), nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("answer", DOCUMENT, nullable=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("principal", "request_id"),
        **OPTIONS,
    )
    create_index("request_time", "request", ["time_us"], unique=False)
    create_table(
        "chore",
        sa.Column("name", WORD, nullable=False),
        sa.Column("due_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        **OPTIONS,
    )


def create_declared() -> None:
    """What people declare."""
    create_table(
        "template",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="template_id"),
        **OPTIONS,
    )
    create_table(
        "template_version",
        sa.Column("template_key", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_state", WORD, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("template_key", "version"),
        **OPTIONS,
    )
    create_table(
        "unit_server",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("agent_key", KEY, nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="unit_server_id"),
        **OPTIONS,
    )
    create_index("unit_server_agent", "unit_server", ["agent_key"], unique=False)
    create_table(
        "control_unit",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("zone", ID, nullable=False),
        sa.Column("template_key", KEY, nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("unit_server_key", KEY, nullable=True),
        sa.Column("desired_state", WORD, nullable=False),
        sa.Column("recover_count", KEY, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="control_unit_id"),
        **OPTIONS,
    )
    create_index(
        "control_unit_template",
        "control_unit",
        ["template_key", "template_version"],
        unique=False,
    )
    create_index(
        "control_unit_unit_server",
        "control_unit",
        ["unit_server_key", "id"],
        unique=False,
    )
    create_index("control_unit_zone", "control_unit", ["zone", "id"], unique=False)
    create_table(
        "agent",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="agent_id"),
        **OPTIONS,
    )
    create_table(
        "execution_unit",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="execution_unit_id"),
        **OPTIONS,
    )
    create_table(
        "variable",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="variable_id"),
        **OPTIONS,
    )

    create_table(
        "script",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="script_id"),
        **OPTIONS,
    )
    create_table(
        "snapshot",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="snapshot_id"),
        **OPTIONS,
    )


def create_life() -> None:
    """What processes report."""
    create_table(
        "dataset",
        sa.Column("hash", ascii_text(64), nullable=False),
        sa.Column("attributes", DOCUMENT, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        **OPTIONS,
    )
    create_table(
        "control_unit_status",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("unit_server_key", KEY, nullable=True),
        sa.Column("session", ascii_text(36), nullable=False),
        sa.Column("sequence", KEY, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("state_time_us", KEY, nullable=False),
        sa.Column("message", DOCUMENT, nullable=False),
        sa.Column("reached_generation", KEY, nullable=False),
        sa.Column("reached_recover_count", KEY, nullable=False),
        sa.Column("dataset", ascii_text(64), nullable=False),
        sa.Column("fingerprint", ascii_text(80), nullable=False),
        sa.Column("unfenced", sa.Boolean(), nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        **OPTIONS,
    )
    create_index("control_unit_status_state", "control_unit_status", ["state"], unique=False)
    create_index(
        "control_unit_status_unit_server",
        "control_unit_status",
        ["unit_server_key"],
        unique=False,
    )
    create_table(
        "unit_server_status",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("session", ascii_text(36), nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        **OPTIONS,
    )
    create_table(
        "session",
        sa.Column("id", ascii_text(36), nullable=False),
        sa.Column("unit_server_key", KEY, nullable=False),
        sa.Column("incarnation", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("pid", KEY, nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("classes", DOCUMENT, nullable=False),
        sa.Column("start_time_us", KEY, nullable=False),
        sa.Column("end_time_us", KEY, nullable=True),
        sa.Column("end_reason", WORD, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    create_index(
        "session_unit_server",
        "session",
        ["unit_server_key", "start_time_us"],
        unique=False,
    )
    create_table(
        "lease",
        sa.Column("session", ascii_text(36), nullable=False),
        sa.Column("unit_server_key", KEY, nullable=False),
        sa.Column("end_us", KEY, nullable=False),
        sa.Column("beat_us", KEY, nullable=False),
        sa.Column("contact", WORD, nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("session"),
        **OPTIONS,
    )
    create_index("lease_open", "lease", ["ended", "end_us"], unique=False)
    create_table(
        "observer",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sweep_us", KEY, nullable=False),
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("blind_since_us", KEY, nullable=False),
        sa.Column("blind_until_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("one"),
        **OPTIONS,
    )
    create_table(
        "instantiation",
        sa.Column("session", ascii_text(36), nullable=False),
        sa.Column("control_unit_key", KEY, nullable=False),
        sa.Column("begin_time_us", KEY, nullable=False),
        sa.Column("end_time_us", KEY, nullable=True),
        sa.Column("end_reason", WORD, nullable=True),
        sa.Column("template_key", KEY, nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", ascii_text(80), nullable=False),
        sa.PrimaryKeyConstraint("session", "control_unit_key"),
        **OPTIONS,
    )
    create_index(
        "instantiation_control_unit",
        "instantiation",
        ["control_unit_key", "begin_time_us"],
        unique=False,
    )
    create_table(
        "sighting",
        sa.Column("unit_server", ID, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("pid", KEY, nullable=False),
        sa.Column("classes", DOCUMENT, nullable=False),
        sa.Column("first_time_us", KEY, nullable=False),
        sa.Column("last_time_us", KEY, nullable=False),
        sa.Column("count", KEY, nullable=False),
        sa.PrimaryKeyConstraint("unit_server"),
        **OPTIONS,
    )
    create_index("sighting_last_time", "sighting", ["last_time_us"], unique=False)


def first_rows() -> None:
    """A store is born: its identity, epoch 1, revision 0; nobody has swept yet."""
    insert_first(
        "revision",
        {"one": 1, "store_id": str(uuid.uuid4()), "epoch": 1, "value": 0, "time_us": 0},
    )
    insert_first(
        "observer",
        {"one": 1, "sweep_us": 0, "node": "", "blind_since_us": 0, "blind_until_us": 0},
    )
    insert_first("chore", {"name": "trim", "due_us": 0})
