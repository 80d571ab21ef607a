"""The table of tokens; see `schema.py` for what holds of all."""

from sqlalchemy import Boolean, Column, Index, String, Table

from metadata_server.store.schema import DOCUMENT, HASH, KEY, OPTIONS, WORD, ascii_text, metadata

token = Table(
    "token",
    metadata,
    Column("id", ascii_text(16), primary_key=True),
    Column("hash", HASH, nullable=False),
    Column("principal", String(255), nullable=False),
    Column("role", WORD, nullable=False),
    Column("program", Boolean, nullable=False),
    Column("create_time_us", KEY, nullable=False),
    Column("author", String(255), nullable=False),
    Column("reason", DOCUMENT, nullable=False),
    Column("expire_time_us", KEY, nullable=False),
    Column("revoke_time_us", KEY, nullable=False),
    Column("revoker", String(255), nullable=False),
    Column("revoke_reason", DOCUMENT, nullable=False),
    Column("last_use_time_us", KEY, nullable=False),
    Index("token_create", "create_time_us", "id"),
    **OPTIONS,
)
"""In no history, export or watch. Rows stay when tokens end: they tell who created and revoked
what. `hash` is that of the whole text; times are 0 where there is none."""
