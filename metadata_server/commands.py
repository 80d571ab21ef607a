"""The server's own commands: `mds serve`, `mds migrate`, `mds config`."""

from __future__ import annotations

import os
import sys

import click

from metadata_server.environment import unknown_variables
from metadata_server.settings import (
    BadSettings,
    Settings,
    load_settings,
    prepared_database_url,
)
from metadata_server.shown_settings import show

BAD_SETTINGS = 2
CANNOT_START = 1


def settings_or_exit() -> Settings:
    try:
        return load_settings()
    except BadSettings as bad:
        click.echo(f"Error: {bad}", err=True)
        sys.exit(BAD_SETTINGS)


@click.command()
def serve() -> None:
    """Run one metadata server.

    Keeps its state in SQLite in your data folder unless MDS_DATABASE_URL names another
    database. `mds config` shows all settings. Stop it with Ctrl-C or SIGTERM: it drains first.
    """
    import structlog
    import uvloop

    from metadata_server.logs import set_up_logs
    from metadata_server.server import CannotStart
    from metadata_server.server import serve as run

    settings = settings_or_exit()
    set_up_logs(settings.log_level, format=settings.log_format, replica=settings.replica)
    for unknown in unknown_variables(os.environ):
        structlog.get_logger().warning("setting_unknown", advice=unknown.advice)
    try:
        uvloop.run(run(settings))
    except (CannotStart, ValueError) as problem:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(CANNOT_START)


@click.command()
def migrate() -> None:
    """Bring the database's schema up to this release.

    Safe to run again, and while servers of the release before are running. A newer schema that
    this release may use stays as it is.
    """
    from metadata_server.store.database import open_database
    from metadata_server.store.migration import LONGEST_STEP_S
    from metadata_server.store.migration import migrate as bring_up
    from metadata_server.store.schema_steps import CannotMigrate, known_schema

    settings = settings_or_exit()
    try:
        database = open_database(
            prepared_database_url(settings), statement_timeout_s=LONGEST_STEP_S
        )
    except ValueError as problem:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(CANNOT_START)
    try:
        before, after = bring_up(database)
    except CannotMigrate as problem:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(CANNOT_START)
    finally:
        database.dispose()
    said = "is up to date" if before == after else f"went from {before or 'empty'} to {after}"
    if after != known_schema():
        said = f"is newer than this release ({known_schema()}), which may use it; nothing was done"
    click.echo(f"The schema {said} ({after}).")


@click.command()
def config() -> None:
    """Show all settings of the server, where each comes from, and no secret."""
    settings = settings_or_exit()
    for unknown in unknown_variables(os.environ):
        click.echo(f"Warning: {unknown.advice}.", err=True)
    if not sys.stdout.isatty():
        for shown in show(settings):
            click.echo(f"{shown.variable}\t{shown.value}\t{shown.source}\t{shown.description}")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("setting", "value", "from", "meaning"):
        table.add_column(heading, overflow="fold")
    for shown in show(settings):
        table.add_row(shown.variable, shown.value, shown.source, shown.description)
    Console().print(table)
