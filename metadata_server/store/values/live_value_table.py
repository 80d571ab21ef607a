"""The table of live values; see `schema.py` for what holds of all tables."""

from sqlalchemy import Column, Table

from metadata_server.store.schema import DOCUMENT, KEY, OPTIONS, ascii_text, metadata

live_value = Table(
    "live_value",
    metadata,
    Column("key", KEY, primary_key=True, autoincrement=False),
    Column("session", ascii_text(36), nullable=False),
    Column("sequence", KEY, nullable=False),
    Column("content", DOCUMENT, nullable=False),
    **OPTIONS,
)
"""What the inputs of a control unit are set to: one row a unit, written anew by each report of
its session."""
