"""The steps of the schema: which one this release stands on, and who may use which.

Steps are named by four digits, so that the later one is the greater. A step expands: releases
before it use the schema as it was, and pass over what is new. One that takes something away says
up to which step it was needed (`repeatable.contract`), and that is written down in the database:
older releases refuse it from then on.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, Table, select
from sqlalchemy.engine import Connection

from metadata_server.store.schema import OPTIONS, WORD, metadata

compatibility = Table(
    "compatibility",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("oldest", WORD, nullable=False),
    **OPTIONS,
)
"""One row: the oldest step whose releases may use this database."""


class CannotMigrate(Exception):
    """The schema could not be brought up; the text says why."""


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def known_schema() -> str:
    """The step that this release stands on."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    assert head is not None
    return head


def is_newer(present: str | None) -> bool:
    """Whether a database stands on a step that this release does not know yet."""
    return present is not None and present > known_schema()


def may_use(connection: Connection, present: str | None) -> bool:
    """Whether this release may use a database that stands on a step: its own, or a newer one
    that still has all that was there."""
    if not is_newer(present):
        return present == known_schema()
    oldest = connection.execute(select(compatibility.c.oldest)).scalar_one()
    return bool(oldest <= known_schema())
