"""Brings a database's schema up to this release, and tells where it stands."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

# The metadata is whole only with these tables, too.
from metadata_server.domain.refused import Refused
from metadata_server.store.database import DAMAGED, Database, Fault, fault_of
from metadata_server.store.unit_of_work import UnitOfWork

LOCK_NAME = "mds-migration"
LOCK_TIMEOUT_S = 60


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


def present_schema(database: Database) -> str | None:
    """The step that the database stands on; None: it is empty."""
    with database.reading.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check_schema(unit: UnitOfWork) -> None:
    """Passes when the database stands where this release does.

    Raises:
        Refused: SCHEMA_UNKNOWN, naming both and the command that mends it.
    """
    present = MigrationContext.configure(unit.connection).get_current_revision()
    if present != known_schema():
        raise unknown_schema(present)


def unknown_schema(present: str | None) -> Refused:
    """That this release does not know the schema it found."""
    newer = present is not None and present > known_schema()
    mend = "Upgrade this server" if newer else "Run: mds migrate"
    return Refused.busy(
        "SCHEMA_UNKNOWN",
        f"The database's schema is {present or 'empty'}; this server knows {known_schema()}. "
        f"{mend}.",
        retry_after_ms=5000,
    )


def migrate(database: Database) -> tuple[str | None, str]:
    """Runs the missing steps; two at once wait for each other.

    Returns:
        The step before and the step after.

    Raises:
        CannotMigrate: the database is away, full, damaged, or does not let us.
    """
    try:
        return run_steps(database)
    except DBAPIError as error:
        if fault_of(error) is Fault.DAMAGED:
            raise CannotMigrate(f"{DAMAGED} It says: {error.orig}") from error
        raise CannotMigrate(f"The database could not be migrated: {error.orig}") from error


class CannotMigrate(Exception):
    """The schema could not be brought up; the text says why."""


def run_steps(database: Database) -> tuple[str | None, str]:
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
