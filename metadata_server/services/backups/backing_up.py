"""Makes backups, of a database that is in use, and looks whether they can be read."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from metadata_server.domain.backup import BackupFailed, Checked, Told
from metadata_server.services.backups.backup_file import BackupReader, BackupWriter, checked
from metadata_server.store.backups.mark import mark_backup
from metadata_server.store.backups.snapshot import snapshot
from metadata_server.store.database import Database

OWNER_ONLY = 0o600
"""Hashes of tokens and secrets of webhooks are in it."""


def back_up(database: Database, out: BinaryIO, *, product: str, told: Told) -> Checked:
    """Writes everything that a database holds at one moment.

    Raises:
        BackupFailed: by the database, which is left as it is.
        OSError: by `out`.
    """
    with snapshot(database, product=product) as found:
        writer = BackupWriter(out, found.header)
        for table in found.tables:
            writer.begin(table.name, table.columns)
            for rows in found.pieces(table):
                writer.add(rows)
                told(table.name, writer.count)
        return Checked(found.header, writer.end())


def back_up_to(
    database: Database, path: Path, *, product: str, overwrite: bool, told: Told
) -> Checked:
    """Writes a backup to a file that is there only when it is whole and was read again.

    Raises:
        BackupFailed: as of `back_up`; there is no room; the file is there already.
    """
    if path.exists() and not overwrite:
        raise BackupFailed(f"{path} is there already. Name another file, or say --overwrite.")
    with appearing(path) as (out, part):
        made = back_up(database, out, product=product, told=told)
        out.flush()
        os.fsync(out.fileno())
        read = read_back(part)
        if read != made:
            raise BackupFailed(f"What was written to {path.parent} cannot be read again.")
    return made


def mark(database: Database, found: Checked) -> str:
    """Lets those who watch over a database know that it has a backup, which has been read where it
    lies; empty: done, else why not."""
    return mark_backup(database, found.header)


def read_back(path: Path) -> Checked:
    """Reads a backup to its end; it is whole when this returns.

    Raises:
        BackupFailed: it is none, was cut off, or altered.
    """
    try:
        with path.open("rb") as source:
            return read_through(source, str(path))
    except OSError as problem:
        raise BackupFailed(f"{path} cannot be read: {problem.strerror}.") from problem


def read_through(source: BinaryIO, name: str) -> Checked:
    """`read_back`, of what comes from elsewhere."""
    return checked(BackupReader(source, name))


@contextmanager
def appearing(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file beside `path` that gets its name when all went well, and is gone otherwise.

    Raises:
        BackupFailed: there is no room, or no such folder.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb"
        ) as out:
            yield out, part
        part.replace(path)
        keep_name(path.parent)
    except OSError as problem:
        raise BackupFailed(no_file(path, problem)) from problem
    finally:
        with suppress(OSError):
            part.unlink()


def keep_name(folder: Path) -> None:
    """Has the disk know the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def no_file(path: Path | str, problem: OSError) -> str:
    if problem.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"There is no room for {path}, and no backup there. Free some, or go elsewhere."
    return f"{path} cannot be written: {problem.strerror}."
