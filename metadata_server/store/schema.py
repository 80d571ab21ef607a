"""The tables, as SQLAlchemy sees them; how they came to be is in `migrations/`.

Times are microseconds since 1970, UTC, by the database's clock. Ids compare byte by byte in
every database. Structures that nobody searches inside are JSON text.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

metadata = MetaData()

KEY = BigInteger().with_variant(Integer(), "sqlite")
"""A number of 63 bits: keys, revisions, microseconds."""

DOCUMENT = Text().with_variant(
    mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
)
"""Text without a limit that a facility would reach (16 MB; single documents are kept to 4 MB)."""

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def ascii_text(length: int) -> TypeEngine[str]:
    """Text of ASCII characters, compared byte by byte."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"),
        "mysql",
        "mariadb",
    )


ID = ascii_text(255)
WORD = ascii_text(32)
HASH = ascii_text(80)

revision = Table(
    "revision",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("store_id", ascii_text(36), nullable=False),
    Column("epoch", KEY, nullable=False),
    Column("value", KEY, nullable=False),
    Column("time_us", KEY, nullable=False),
    **OPTIONS,
)
"""One row: the counter that orders everything."""

change_set = Table(
    "change_set",
    metadata,
    Column("revision", KEY, primary_key=True, autoincrement=False),
    Column("time_us", KEY, nullable=False),
    Column("author", String(255), nullable=False),
    Column("authenticated", Boolean, nullable=False),
    Column("reason", DOCUMENT, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("method", ascii_text(64), nullable=False),
    Column("client", String(255), nullable=False, server_default=""),
    Index("change_set_time", "time_us"),
    **OPTIONS,
)

history = Table(
    "history",
    metadata,
    Column("revision", KEY, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("key", KEY, nullable=False),
    Column("action", WORD, nullable=False),
    Column("image", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("revision", "ordinal"),
    UniqueConstraint("key", "revision", name="history_key"),
    **OPTIONS,
)
"""Full after-image of each declared resource that a revision changed."""

status_history = Table(
    "status_history",
    metadata,
    Column("revision", KEY, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("time_us", KEY, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("key", KEY, nullable=False),
    Column("session", ascii_text(36), nullable=False),
    Column("image", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("revision", "ordinal"),
    UniqueConstraint("key", "revision", name="status_history_key"),
    Index("status_history_time", "time_us"),
    **OPTIONS,
)
"""Small images of what units and sessions became; kept for a time of their own."""

name = Table(
    "name",
    metadata,
    Column("kind", WORD, nullable=False),
    Column("id", ID, nullable=False),
    Column("from_revision", KEY, nullable=False),
    Column("to_revision", KEY, nullable=True),
    Column("key", KEY, nullable=False),
    Column("template_key", KEY, nullable=True),
    Column("unit_server_key", KEY, nullable=True),
    PrimaryKeyConstraint("kind", "id", "from_revision"),
    Index("name_key", "key"),
    Index("name_template", "template_key", "id"),
    Index("name_unit_server", "unit_server_key", "id"),
    **OPTIONS,
)
"""Which id named which key, from one revision up to, not including, another; of control units
also what they referred to then, so that a list of the past is found by it. A span ends when any
of the three changes."""

request = Table(
    "request",
    metadata,
    Column("principal", String(255), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("method", ascii_text(64), nullable=False),
    Column("payload_hash", ascii_text(64), nullable=False),
    Column("revision", KEY, nullable=False),
    Column("answer", DOCUMENT, nullable=False),
    Column("time_us", KEY, nullable=False),
    PrimaryKeyConstraint("principal", "request_id"),
    Index("request_time", "time_us"),
    **OPTIONS,
)


def resource_table(table: str, *columns: Column[Any] | Index) -> Table:
    """A kind that people declare: what all kinds have, and the columns it is found by."""
    return Table(
        table,
        metadata,
        Column("key", KEY, primary_key=True, autoincrement=False),
        Column("id", ID, nullable=False),
        Column("generation", KEY, nullable=False),
        Column("revision", KEY, nullable=False),
        Column("create_time_us", KEY, nullable=False),
        Column("update_time_us", KEY, nullable=False),
        Column("body", DOCUMENT, nullable=False),
        *columns,
        UniqueConstraint("id", name=f"{table}_id"),
        **OPTIONS,
    )


template = resource_table(
    "template",
    Column("version", Integer, nullable=False),
    Column("published_version", Integer, nullable=False, server_default="0"),
)
"""`published_version` is the newest that units may use; 0: there is none."""

template_version = Table(
    "template_version",
    metadata,
    Column("template_key", KEY, nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_state", WORD, nullable=False),
    Column("revision", KEY, nullable=False),
    Column("body", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("template_key", "version"),
    **OPTIONS,
)
"""The content of each version, never changed once it is published."""

unit_server = resource_table(
    "unit_server",
    Column("agent_key", KEY, nullable=True),
    Index("unit_server_agent", "agent_key"),
)

DEPENDS = """instr(body, '"requires":') > 0 OR instr(body, '"after":') > 0"""
"""Whether a unit's place in an order depends on other units: what is at its default is left out
of bodies."""

control_unit = resource_table(
    "control_unit",
    Column("zone", ID, nullable=False),
    Column("template_key", KEY, nullable=False),
    Column("template_version", Integer, nullable=False),
    Column("unit_server_key", KEY, nullable=True),
    Column("desired_state", WORD, nullable=False),
    Column("recover_count", KEY, nullable=False),
    Column("depends", SmallInteger, Computed(DEPENDS, persisted=False)),
    Index("control_unit_zone", "zone", "id"),
    Index("control_unit_template", "template_key", "template_version"),
    Index("control_unit_unit_server", "unit_server_key", "id"),
    Index("control_unit_template_id", "template_key", "id"),
    Index("control_unit_update_time", "update_time_us", "id"),
    Index("control_unit_create_time", "create_time_us", "id"),
    Index("control_unit_depends", "depends", "id"),
)
"""`depends` is made by the database itself, so releases that do not know it may write too."""

agent = resource_table("agent")
execution_unit = resource_table("execution_unit")
variable = resource_table("variable")
script = resource_table("script")
snapshot = resource_table("snapshot")
policy = resource_table("policy", Column("template_key", KEY, nullable=True))
maintenance = resource_table(
    "maintenance",
    Column("end_time_us", KEY, nullable=False),
    Index("maintenance_end_time", "end_time_us"),
)
machine_mode = resource_table("machine_mode")
guard = resource_table("guard", Column("machine_mode_key", KEY, nullable=False))
unit_list = resource_table("unit_list")
campaign = resource_table("campaign")
webhook = resource_table("webhook", Column("enabled", Boolean, nullable=False))

unit_condition = Table(
    "unit_condition",
    metadata,
    Column("key", KEY, nullable=False),
    Column("type", WORD, nullable=False),
    Column("status", WORD, nullable=False),
    Column("reason", WORD, nullable=False),
    Column("message", DOCUMENT, nullable=False),
    Column("fields", DOCUMENT, nullable=False),
    Column("since_us", KEY, nullable=False),
    Column("evidence", ascii_text(160), nullable=False, server_default=""),
    PrimaryKeyConstraint("key", "type"),
    Index("unit_condition_type", "type", "key"),
    **OPTIONS,
)
"""What holds of a control unit besides its state; a row for each fact, none for what does not
hold. `evidence` is what it was judged by: the same evidence need not be judged again."""

horizon = Table(
    "horizon",
    metadata,
    Column("kind", WORD, primary_key=True),
    Column("revision", KEY, nullable=False),
    Column("time_us", KEY, nullable=False),
    **OPTIONS,
)
"""Up to where the history of a kind has been trimmed: of what came before `revision` only the
newest images are kept. A kind without a row has never been trimmed."""

dataset = Table(
    "dataset",
    metadata,
    Column("hash", ascii_text(64), primary_key=True),
    Column("attributes", DOCUMENT, nullable=False),
    Column("create_time_us", KEY, nullable=False),
    **OPTIONS,
)
"""Published datasets, once for each content."""

control_unit_status = Table(
    "control_unit_status",
    metadata,
    Column("key", KEY, primary_key=True, autoincrement=False),
    Column("unit_server_key", KEY, nullable=True),
    Column("session", ascii_text(36), nullable=False),
    Column("sequence", KEY, nullable=False),
    Column("state", WORD, nullable=False),
    Column("state_time_us", KEY, nullable=False),
    Column("message", DOCUMENT, nullable=False),
    Column("reached_generation", KEY, nullable=False),
    Column("reached_recover_count", KEY, nullable=False),
    Column("dataset", ascii_text(64), nullable=False),
    Column("fingerprint", HASH, nullable=False),
    Column("unfenced", Boolean, nullable=False),
    Column("recovery", String(255), nullable=False, server_default=""),
    Column("revision", KEY, nullable=False),
    Index("control_unit_status_state", "state"),
    Index("control_unit_status_state_time", "state_time_us"),
    Index("control_unit_status_unit_server", "unit_server_key"),
    **OPTIONS,
)

unit_server_status = Table(
    "unit_server_status",
    metadata,
    Column("key", KEY, primary_key=True, autoincrement=False),
    Column("session", ascii_text(36), nullable=False),
    Column("revision", KEY, nullable=False),
    **OPTIONS,
)
"""Which session of a unit server is the last one: the row that a registration locks."""

session = Table(
    "session",
    metadata,
    Column("id", ascii_text(36), primary_key=True),
    Column("unit_server_key", KEY, nullable=False),
    Column("incarnation", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("address", String(255), nullable=False),
    Column("pid", KEY, nullable=False),
    Column("version", String(255), nullable=False),
    Column("classes", DOCUMENT, nullable=False),
    Column("start_time_us", KEY, nullable=False),
    Column("end_time_us", KEY, nullable=True),
    Column("end_reason", WORD, nullable=True),
    Index("session_unit_server", "unit_server_key", "start_time_us"),
    Index("session_start_time", "start_time_us"),
    **OPTIONS,
)

lease = Table(
    "lease",
    metadata,
    Column("session", ascii_text(36), primary_key=True),
    Column("unit_server_key", KEY, nullable=False),
    Column("end_us", KEY, nullable=False),
    Column("beat_us", KEY, nullable=False),
    Column("contact", WORD, nullable=False),
    Column("ended", Boolean, nullable=False),
    Index("lease_open", "ended", "end_us"),
    **OPTIONS,
)
"""One narrow row a session, renewed in batches."""

observer = Table(
    "observer",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("sweep_us", KEY, nullable=False),
    Column("node", String(255), nullable=False),
    Column("blind_since_us", KEY, nullable=False),
    Column("blind_until_us", KEY, nullable=False),
    **OPTIONS,
)
"""One row: the last sweep over the leases, and until when it counts as blind."""

instantiation = Table(
    "instantiation",
    metadata,
    Column("session", ascii_text(36), nullable=False),
    Column("control_unit_key", KEY, nullable=False),
    Column("begin_time_us", KEY, nullable=False),
    Column("end_time_us", KEY, nullable=True),
    Column("end_reason", WORD, nullable=True),
    Column("template_key", KEY, nullable=False),
    Column("template_version", Integer, nullable=False),
    Column("fingerprint", HASH, nullable=False),
    PrimaryKeyConstraint("session", "control_unit_key"),
    Index("instantiation_control_unit", "control_unit_key", "begin_time_us"),
    **OPTIONS,
)
"""One life of a control unit; its states are in `status_history`."""

sighting = Table(
    "sighting",
    metadata,
    Column("unit_server", ID, primary_key=True),
    Column("host", String(255), nullable=False),
    Column("address", String(255), nullable=False),
    Column("pid", KEY, nullable=False),
    Column("classes", DOCUMENT, nullable=False),
    Column("first_time_us", KEY, nullable=False),
    Column("last_time_us", KEY, nullable=False),
    Column("count", KEY, nullable=False),
    Index("sighting_last_time", "last_time_us"),
    **OPTIONS,
)

chore = Table(
    "chore",
    metadata,
    Column("name", WORD, primary_key=True),
    Column("due_us", KEY, nullable=False),
    **OPTIONS,
)
"""Work that one replica does for all, claimed by moving `due_us` on."""
