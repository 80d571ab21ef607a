"""The tables of what agents say; see `schema.py` for what holds of all tables."""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table

from metadata_server.store.schema import DOCUMENT, KEY, OPTIONS, WORD, ascii_text, metadata

agent_status = Table(
    "agent_status",
    metadata,
    Column("agent_key", KEY, primary_key=True, autoincrement=False),
    Column("incarnation", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", KEY, nullable=False),
    Column("version", String(255), nullable=False),
    Column("start_us", KEY, nullable=False),
    Column("beat_us", KEY, nullable=False),
    Column("lease_end_us", KEY, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("processes", DOCUMENT, nullable=False),
    **OPTIONS,
)
"""The last report of each agent, written anew by each: no history is kept of it."""

launched_process = Table(
    "launched_process",
    metadata,
    Column("unit_server_key", KEY, nullable=False),
    Column("agent_key", KEY, nullable=False),
    Column("state", WORD, nullable=False),
    Column("pid", KEY, nullable=False),
    Column("since_us", KEY, nullable=False),
    Column("message", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("unit_server_key", "agent_key"),
    Index("launched_process_agent", "agent_key"),
    Index("launched_process_state", "state"),
    **OPTIONS,
)
"""Where the process of each unit server is, for each agent that has to do with it; while a unit
server moves there are two. Written only where that changes."""

log_request = Table(
    "log_request",
    metadata,
    Column("id", ascii_text(36), primary_key=True),
    Column("agent_key", KEY, nullable=False),
    Column("unit_server_key", KEY, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("time_us", KEY, nullable=False),
    Column("answer", DOCUMENT, nullable=True),
    Index("log_request_agent", "agent_key"),
    Index("log_request_time", "time_us"),
    **OPTIONS,
)
"""Questions for the end of a log, and their answers, for as long as somebody waits."""
