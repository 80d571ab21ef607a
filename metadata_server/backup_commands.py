"""`mds backup` and `mds restore`: everything that the database holds, to a file and back."""

from __future__ import annotations

import getpass
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from metadata_server.commands import CANNOT_START, settings_or_exit
from metadata_server.domain.names import plural
from metadata_server.settings import prepared_database_url

if TYPE_CHECKING:
    from metadata_server.domain.backup import Checked, Told
    from metadata_server.services.backups.restoring import Restored
    from metadata_server.store.database import Database

STANDARD_STREAM = "-"
LONGEST_THOUGHT_S = 600
"""Between two statements; nobody else waits for the locks."""
TOLD_EVERY_S = 0.5
TOLD_EVERY_S_IN_A_LOG = 30.0


@click.command()
@click.argument("file", required=False)
@click.option("--verify", type=click.Path(), help="Read this backup, and say whether it is whole.")
@click.option("--mark", is_flag=True, help="With --verify: have servers count it, if it is whole.")
@click.option("--overwrite", is_flag=True, help="Take the place of a FILE that is there.")
@click.option("--quiet", is_flag=True, help="Say nothing when all went well.")
def backup(
    file: str | None, *, verify: str | None, mark: bool, overwrite: bool, quiet: bool
) -> None:
    """Write everything that the database holds to FILE; -: to standard output.

    Servers go on meanwhile. The file is there only when it is whole and was read back; it holds
    hashes of tokens and secrets of webhooks, so only you may read it. Like `mds migrate` it wants
    MDS_DATABASE_URL, and no server. `mds restore` reads it into another database.

    Servers tell the age of the last backup that was read where it lies. What went to standard
    output is not counted until somebody has read it with --verify and --mark; -: from standard
    input.

    \b
      mds backup /var/backups/mds/monday.mdsbackup
      mds backup --verify /var/backups/mds/monday.mdsbackup
      mds backup - | ssh vault 'cat > mds.mdsbackup'
      ssh vault 'cat mds.mdsbackup' | mds backup --verify - --mark

    Exit codes: 0 done, 1 it could not be made or is not whole, 2 wrong use.
    """
    if (file is None) == (verify is None):
        raise click.UsageError("Name the FILE to write, or with --verify the one to read.")
    if mark and verify is None:
        raise click.UsageError("--mark goes with --verify; a FILE is counted by itself, - never.")
    with failures():
        if verify is not None:
            done = verified(verify, mark=mark)
        else:
            assert file is not None
            done = written(file, overwrite=overwrite, quiet=quiet)
    if quiet:
        return
    if file == STANDARD_STREAM:
        click.echo(said_of(done, "Written, to be verified where it arrives"), err=True)
        click.echo("No server counts it before that: mds backup --verify FILE --mark", err=True)
    else:
        name = "Standard input" if verify == STANDARD_STREAM else verify or file
        click.echo(said_of(done, f"{name} is whole"))


def verified(file: str, *, mark: bool) -> Checked:
    """
    Raises:
        BackupFailed: it is not whole, or cannot be counted.
    """
    from metadata_server.domain.backup import BackupFailed
    from metadata_server.services.backups import backing_up

    if file == STANDARD_STREAM:
        found = backing_up.read_through(sys.stdin.buffer, "Standard input")
    else:
        found = backing_up.read_back(Path(file))
    if mark:
        with opened(None) as database:
            if problem := backing_up.mark(database, found):
                raise BackupFailed(f"It is whole, but no server will count it. {problem}")
    return found


def written(file: str, *, overwrite: bool, quiet: bool) -> Checked:
    """
    Raises:
        BackupFailed: with what to do.
    """
    from metadata_server.services.backups.backing_up import back_up_to, mark
    from metadata_server.version import version

    told = Progress("Written", quiet=quiet).tell
    with opened(None) as database:
        if file == STANDARD_STREAM:
            return piped(database, told)
        made = back_up_to(database, Path(file), product=version(), overwrite=overwrite, told=told)
        if problem := mark(database, made):
            click.echo(
                "The backup is whole, but the database could not take down that there is one, and "
                f"metadata servers will tell the age of the one before. {problem}",
                err=True,
            )
        return made


def piped(database: Database, told: Told) -> Checked:
    from metadata_server.domain.backup import BackupFailed
    from metadata_server.services.backups.backing_up import back_up, no_file
    from metadata_server.version import version

    if sys.stdout.isatty():
        raise click.UsageError("A terminal cannot take a backup. Name a FILE, or a pipe.")
    try:
        # With a buffer of its own, whose last bytes fail here too where there is no room.
        with open(sys.stdout.fileno(), "wb", closefd=False) as out:
            return back_up(database, out, product=version(), told=told)
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise BackupFailed(no_file("standard output", problem)) from problem


@click.command()
@click.argument("file")
@click.option("--database", help="URL of the database; else MDS_DATABASE_URL says which.")
@click.option(
    "--keep-still", is_flag=True, help="Want no state of any unit, whatever the backup says."
)
@click.option("--check", is_flag=True, help="Only look whether it could be done; write nothing.")
@click.option("--quiet", is_flag=True, help="Say nothing when all went well.")
def restore(file: str, *, database: str | None, keep_still: bool, check: bool, quiet: bool) -> None:
    """Load the backup FILE into an empty database; -: from standard input.

    The database may be of another kind than the one that was backed up. One that has data is
    refused. FILE is read to its end before anything is written, and servers see nothing before
    all of it is there; a restore that was broken off is simply run again.

    Afterwards watchers are told to read everything again, unit servers register again by
    themselves, operations that were under way are paused, and units go where the backup says
    that people want them. With --keep-still they stay as they are, until you undo that.

    \b
      mds restore /var/backups/mds/monday.mdsbackup --database sqlite:////var/lib/mds/new.db
      mds restore monday.mdsbackup --check

    Exit codes: 0 done, 1 it could not be restored, 2 wrong use.
    """
    with failures(), opened(database) as target:
        said = (
            checked_only(target, file)
            if check
            else restored(target, file, keep_still=keep_still, quiet=quiet)
        )
    if not quiet:
        click.echo(said)


def checked_only(target: Database, file: str) -> str:
    from metadata_server.services.backups.backing_up import read_back
    from metadata_server.services.backups.restoring import check_target

    check_target(target)
    said = "The database can take a backup."
    if file == STANDARD_STREAM:
        return said
    return f"{said_of(read_back(Path(file)), f'{file} is whole')}\n{said}"


def restored(target: Database, file: str, *, keep_still: bool, quiet: bool) -> str:
    """
    Raises:
        BackupFailed: with what to do.
    """
    from metadata_server.domain.change import Caller, Principal
    from metadata_server.services.backups.backing_up import read_back
    from metadata_server.services.backups.restoring import check_target
    from metadata_server.services.backups.restoring import restore as restore_from

    caller = Caller(
        principal=Principal(f"{getpass.getuser()}@{socket.gethostname()}"),
        method="mds restore",
        reason=f"mds restore {Path(file).name}",
        client="mds restore",
    )
    load = partial(
        restore_from,
        target,
        caller=caller,
        told=Progress("Restored", quiet=quiet).tell,
        keep_still=keep_still,
    )
    check_target(target)
    if file == STANDARD_STREAM:
        return said_of_restored(load(sys.stdin.buffer, "Standard input"))
    read_back(Path(file))
    with Path(file).open("rb") as source:
        return said_of_restored(load(source, file))


def said_of(done: Checked, what: str) -> str:
    from metadata_server.domain.life.admission import clock

    header = done.header
    return (
        f"{what}: revision {header.revision} of store {header.store_id}, as of "
        f"{clock(header.time_us)}, {some(done.trailer.count, 'row')} of schema {header.schema}, by mds "
        f"{header.product}.\nIts SHA-256, uncompressed and without the last line, is "
        f"{done.trailer.sha256}."
    )


def said_of_restored(done: Restored) -> str:
    settled = done.settled
    goes_on = f"in epoch {settled.position.epoch} at revision {settled.position.revision}"
    lines = [f"Restored: {some(done.rows, 'row')}. The store goes on {goes_on}."]
    if settled.sessions:
        lines.append(f"In touch then: {some(settled.sessions, 'unit server')}. They come again.")
    if settled.stilled:
        lines.append(
            f"No state is wanted of {some(settled.stilled, 'unit')}, of which one was. What was wanted "
            f"then: mds undo {settled.position.revision}"
        )
    if settled.operations:
        named = ", ".join(settled.operations[:10])
        lines.append(
            f"Under way then, and paused: {some(len(settled.operations), 'operation')}, {named}. "
            "Look at their units, then run mds operation resume or abort."
        )
    lines.append("Tokens that were revoked since the backup are good again: mds token list")
    return "\n".join(lines)


def some(count: int, what: str) -> str:
    """How many there are of something."""
    return f"{count:,} {what if count == 1 else plural(what)}"


@contextmanager
def opened(url: str | None) -> Iterator[Database]:
    """The database of a URL, or of the settings."""
    from metadata_server.domain.backup import BackupFailed
    from metadata_server.store.database import open_database
    from metadata_server.store.migration import LONGEST_STEP_S

    try:
        database = open_database(
            url or prepared_database_url(settings_or_exit()),
            pool_size=1,
            idle_transaction_s=LONGEST_THOUGHT_S,
            statement_timeout_s=LONGEST_STEP_S,
        )
    except ValueError as problem:
        raise BackupFailed(str(problem)) from problem
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def failures() -> Iterator[None]:
    """Says what went wrong, and ends the command."""
    from metadata_server.domain.backup import BackupFailed

    try:
        yield
    except BackupFailed as problem:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(CANNOT_START)
    except BrokenPipeError:
        click.echo("Error: Whoever took the backup down has ended: it is not whole.", err=True)
        sys.exit(CANNOT_START)


class Progress:
    """Says now and then how far a long work is: on a terminal in one line, else in a few."""

    def __init__(self, done: str, *, quiet: bool) -> None:
        self._done = done
        self._quiet = quiet
        self._is_terminal = sys.stderr.isatty()
        self._every_s = TOLD_EVERY_S if self._is_terminal else TOLD_EVERY_S_IN_A_LOG
        self._begun_s = self._told_s = time.monotonic()

    def tell(self, table: str, rows: int) -> None:
        now_s = time.monotonic()
        if self._quiet or now_s - self._told_s < self._every_s:
            return
        self._told_s = now_s
        said = f"{self._done}: {rows:,} rows in {now_s - self._begun_s:.0f} s, now {table}"
        click.echo(
            f"\r{said:<70}\r" if self._is_terminal else said, err=True, nl=not self._is_terminal
        )
