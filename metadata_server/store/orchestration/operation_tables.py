"""The tables of operations; see `schema.py` for what holds of all tables."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from metadata_server.store.schema import DOCUMENT, ID, KEY, OPTIONS, WORD, metadata

operation = Table(
    "operation",
    metadata,
    Column("key", KEY, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("verb", WORD, nullable=False),
    Column("phase", WORD, nullable=False),
    Column("minor_state", WORD, nullable=False),
    Column("message", DOCUMENT, nullable=False),
    Column("author", String(255), nullable=False),
    Column("authenticated", Boolean, nullable=False),
    Column("reason", DOCUMENT, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("executing", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("aborted", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("create_time_us", KEY, nullable=False),
    Column("start_time_us", KEY, nullable=False),
    Column("end_time_us", KEY, nullable=False),
    Column("update_time_us", KEY, nullable=False),
    Column("sign_of_life_us", KEY, nullable=False),
    Column("deadline_us", KEY, nullable=False),
    Column("revision", KEY, nullable=False),
    Column("replica", String(255), nullable=False),
    Column("fence", KEY, nullable=False),
    Column("due_us", KEY, nullable=True),
    Column("body", DOCUMENT, nullable=False),
    Column("campaign_key", KEY, nullable=False, server_default="0"),
    UniqueConstraint("id", name="operation_id"),
    Index("operation_create_time_us", "create_time_us"),
    Index("operation_due_us", "due_us"),
    Index("operation_campaign", "campaign_key"),
    **OPTIONS,
)
"""Times that are not yet are 0. A replica carries one on as long as `fence` is the number that it
got when it claimed it; `due_us` is when the next may claim it, NULL: nobody needs to."""

operation_step = Table(
    "operation_step",
    metadata,
    Column("operation_key", KEY, nullable=False, autoincrement=False),
    Column("position", Integer, nullable=False, autoincrement=False),
    Column("unit_key", KEY, nullable=False),
    Column("control_unit", ID, nullable=False),
    Column("state", WORD, nullable=False),
    Column("minor_state", WORD, nullable=False),
    Column("message", DOCUMENT, nullable=False),
    Column("is_way_back", Boolean, nullable=False),
    Column("target", WORD, nullable=False),
    Column("generation", KEY, nullable=False),
    Column("recover_count", KEY, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("start_time_us", KEY, nullable=False),
    Column("end_time_us", KEY, nullable=False),
    Column("deadline_us", KEY, nullable=False),
    Column("revision", KEY, nullable=False),
    Column("body", DOCUMENT, nullable=False),
    Column("campaign_key", KEY, nullable=True),
    Column("earlier", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("operation_key", "position"),
    Index("operation_step_unit", "unit_key", "state"),
    Index("operation_step_state", "operation_key", "state"),
    Index("operation_step_campaign", "campaign_key", "state", "attempts", "earlier"),
    **OPTIONS,
)
"""What was found of the unit when the operation was planned stands in `body`. Of the steps that a
campaign has had for a unit only the newest has its `campaign_key`, and counts in `earlier` those
before: so its sums are read from one index."""
