"""Restores backups: into an empty database, of whatever kind, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from metadata_server.domain.backup import BackupFailed, Header, Told
from metadata_server.domain.change import Caller
from metadata_server.services.backups.backup_file import BackupReader, Piece
from metadata_server.services.backups.settling import Settled, settle
from metadata_server.store.backups.layout import TableLayout
from metadata_server.store.backups.target import Target
from metadata_server.store.database import Database
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has come to."""

    header: Header
    settled: Settled
    rows: int


def check_target(database: Database) -> None:
    """Passes where a backup may be restored into; writes nothing.

    Raises:
        BackupFailed: it has data, or is away.
    """
    Target(database).check()


def restore(
    database: Database,
    source: BinaryIO,
    name: str,
    *,
    caller: Caller,
    told: Told,
    keep_still: bool = False,
) -> Restored:
    """Loads a backup. What it has loaded is used by nobody before all of it is there: cut off
    anywhere it leaves a database that the next restore begins with anew.

    Args:
        name: of the source, for people.
        caller: who stands in the history for it.
        keep_still: no unit shall move for what people wanted of it when the backup was made.

    Raises:
        BackupFailed: the database has data; the backup is none, was cut off or altered, or is of
            a newer release.
    """
    reader = BackupReader(source, name)
    target = Target(database)
    target.take()
    kept = {each.name: each for each in target.lay_out(reader.header)}
    rows = 0
    for piece in reader.pieces():
        target.load(checked_table(kept, piece), piece.rows)
        rows += len(piece.rows)
        told(piece.table, rows)
    came_to: list[Settled] = []

    def work(unit: UnitOfWork) -> None:
        came_to.append(settle(unit, reader.header, keep_still=keep_still))

    target.bring_up(reader.header)
    target.open(reader.header, caller, work)
    return Restored(reader.header, came_to[-1], rows)


def checked_table(kept: Mapping[str, TableLayout], piece: Piece) -> TableLayout:
    """The table of a piece, with its columns in their order there."""
    table = kept.get(piece.table)
    if table is None or set(piece.columns) != set(table.columns):
        raise BackupFailed(f"The table {piece.table} of the backup is not one of its schema.")
    return TableLayout(table.name, piece.columns, table.key)
