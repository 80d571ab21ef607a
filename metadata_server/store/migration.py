"""Brings a database's schema up to this release, and tells where it stands."""

from __future__ import annotations

import time

from alembic import command
from sqlalchemy import column, inspect, select, table, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

# The metadata is whole only with these tables, too.
from metadata_server.domain.refused import Refused
from metadata_server.store.database import DAMAGED, Database, Fault, fault_of
from metadata_server.store.revision import RESTORING
from metadata_server.store.schema import revision
from metadata_server.store.schema_steps import (
    CannotMigrate,
    configuration,
    is_newer,
    known_schema,
    may_use,
)
from metadata_server.store.unit_of_work import UnitOfWork

NEWEST = "head"
LOCK_NAME = "mds-migration"
LOCK_TIMEOUT_S = 60
LONGEST_STEP_S = 6 * 3600
"""Indexes of a long history take their time, and others go on working meanwhile."""
TABLE_WAIT_S = 2
"""A change of a table waits for the transactions that use it, and all that come after it wait
for the change: so it gives up soon, lets them pass, and tries again."""
TABLE_PAUSE_S = 1.0
PATIENCE_S = 300.0
_STEPS = table("alembic_version", column("version_num"))
_STEP = select(_STEPS.c.version_num)


def present_schema(database: Database) -> str | None:
    """The step that the database stands on; None: it is empty."""
    with database.reading.connect() as connection:
        return step_of(connection)


def step_of(connection: Connection) -> str | None:
    """The step that it stands on; None: it is empty.

    Alembic's own statement is another one each time: each would be compiled, and kept."""
    if not inspect(connection).has_table(_STEPS.name):
        return None
    return connection.scalars(_STEP).one_or_none()


def check_schema(unit: UnitOfWork) -> None:
    """Passes when the database stands where this release does, or has only grown since.

    Raises:
        Refused: SCHEMA_UNKNOWN, naming both and the command that mends it.
    """
    present = step_of(unit.connection)
    if not may_use(unit.connection, present):
        raise unknown_schema(present)


def unknown_schema(present: str | None) -> Refused:
    """That this release does not know the schema it found."""
    mend = "Upgrade this server" if is_newer(present) else "Run: mds migrate"
    return Refused.busy(
        "SCHEMA_UNKNOWN",
        f"The database's schema is {present or 'empty'}; this server knows {known_schema()}. "
        f"{mend}.",
        retry_after_ms=5000,
    )


def migrate(
    database: Database, *, to: str = NEWEST, restoring: bool = False
) -> tuple[str | None, str]:
    """Runs the missing steps; two at once wait for each other. A newer schema that this release
    may use stays as it is.

    Args:
        to: the step to come to.
        restoring: it is part of a restore; others leave a database alone that is being restored.

    Returns:
        The step before and the step after.

    Raises:
        CannotMigrate: the database is away, full, damaged, or does not let us; its schema is
            newer and not to be used; replicas still use what a step would take away; it is being
            restored.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return run_steps(database, to, restoring=restoring)
        except DBAPIError as error:
            fault = fault_of(error)
            if fault is Fault.DAMAGED:
                raise CannotMigrate(f"{DAMAGED} It says: {error.orig}") from error
            # SQLite has waited by itself for as long as it does.
            if fault is not Fault.TRY_AGAIN or database.is_sqlite or time.monotonic() > deadline:
                raise CannotMigrate(f"The database could not be migrated: {error.orig}") from error
        time.sleep(TABLE_PAUSE_S)


def run_steps(database: Database, to: str, *, restoring: bool) -> tuple[str | None, str]:
    with database.writing.connect() as connection:
        if database.is_sqlite:
            return bring_up(connection, to, restoring=restoring)
        try:
            lock_others_out(connection)
            return bring_up(connection, to, restoring=restoring)
        finally:
            # Its lock and its settings end with it.
            connection.invalidate()


def bring_up(connection: Connection, to: str, *, restoring: bool) -> tuple[str | None, str]:
    if not restoring and is_being_restored(connection):
        raise CannotMigrate(
            "The database is being restored, or was until the restore was broken off. Wait for "
            "it, or run mds restore again: it brings the schema up itself."
        )
    before = step_of(connection)
    if before is not None and is_newer(before):
        if not may_use(connection, before):
            raise CannotMigrate(unknown_schema(before).message)
        return before, before
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    connection.commit()
    return before, known_schema() if to == NEWEST else to


def is_being_restored(connection: Connection) -> bool:
    """Whether a restore has begun here and has not ended."""
    if not inspect(connection).has_table(revision.name):
        return False
    marked = select(revision.c.one).where(revision.c.one == RESTORING)
    return connection.execute(marked).first() is not None


def lock_others_out(connection: Connection) -> None:
    """Takes the lock that all who migrate take; it ends with the connection.

    Raises:
        CannotMigrate: somebody has it.
    """
    wanted = {"name": LOCK_NAME, "seconds": LOCK_TIMEOUT_S}
    if not connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), wanted).scalar():
        raise CannotMigrate(
            f"Another `mds migrate` has been at work for {LOCK_TIMEOUT_S} s. Wait until it has "
            "ended, then run: mds migrate"
        )
    connection.execute(text(f"SET SESSION lock_wait_timeout = {TABLE_WAIT_S}"))
