"""What a backup says of itself, and of the store that it was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

FORMAT = "mds-backup"
FORMAT_VERSION = 1
REVISIONS_A_SECOND = 100
"""More than a facility makes for long: its storms share revisions, 20 a second."""
REVISIONS_AT_LEAST = 10_000

Told = Callable[[str, int], None]
"""Is told of each piece of work: the table, and how many rows of all tables are done."""


class BackupFailed(Exception):
    """A backup could not be made, read or restored; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a backup.

    Attributes:
        epoch, revision: where the store stood; what came after is not in the backup.
        revision_time_us: of that revision.
        schema: the step of the migrations that the rows are of.
        time_us: when it was made, by the database's clock.
        product: release that made it.
        family: of the database: `sqlite`, `mysql`.
    """

    format: str = FORMAT
    version: int = FORMAT_VERSION
    store_id: str
    epoch: int
    revision: int
    revision_time_us: int
    schema: str
    time_us: int
    product: str
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """The last line of a backup, which tells a whole one from one that was cut off or altered.

    Attributes:
        rows: by table.
        sha256: of all lines before, as they are when they are uncompressed.
    """

    rows: Mapping[str, int]
    sha256: str

    @property
    def count(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that has been read to its end and found whole."""

    header: Header
    trailer: Trailer


def epoch_after(header: Header, now_us: int) -> int:
    """The epoch of a restored store, in milliseconds of time: the backup does not tell how often
    it, or another one, was restored since it was made, and no epoch may come twice."""
    return max(header.epoch + 1, now_us // 1000)


def revision_after(header: Header, now_us: int) -> int:
    """Where a restored store goes on: beyond all numbers that were given out after the backup,
    which etags of what is lost still hold."""
    elapsed_s = max(0, now_us - header.time_us) // 1_000_000
    return header.revision + REVISIONS_AT_LEAST + REVISIONS_A_SECOND * elapsed_s
