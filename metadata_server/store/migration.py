"""Brings a database's schema up to this release, and tells where it stands."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from metadata_server.store.database import Database

LOCK_NAME = "mds-migration"
LOCK_TIMEOUT_S = 60


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def known_schema() -> str:
    """The step that this release stands on."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    assert head is not None
    return head


def present_schema(database: Database) -> str | None:
    """The step that the database stands on; None: it is empty."""
    with database.reading.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database) -> tuple[str | None, str]:
    """Runs the missing steps; two at once wait for each other.

    Returns:
        The step before and the step after.
    """
    config = configuration()
    with database.writing.connect() as connection:
        if not database.is_sqlite:
            lock = text("SELECT GET_LOCK(:name, :seconds)")
            connection.execute(lock, {"name": LOCK_NAME, "seconds": LOCK_TIMEOUT_S})
        before = MigrationContext.configure(connection).get_current_revision()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        if not database.is_sqlite:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": LOCK_NAME})
    return before, known_schema()
