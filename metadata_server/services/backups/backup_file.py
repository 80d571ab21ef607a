"""The file of a backup: JSON lines, compressed by gzip, with a header and a trailer.

After the header come the tables: for each a line `{"table": …, "columns": […]}`, then a line
`[…]` for each row. So `zcat` shows it, and it is the same for each kind of database.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from gzip import BadGzipFile, GzipFile
from typing import Any, BinaryIO

import msgspec

from metadata_server.domain.backup import (
    FORMAT,
    FORMAT_VERSION,
    BackupFailed,
    Checked,
    Header,
    Trailer,
)

COMPRESSION = 4
"""Of gzip; 6 makes the file a tenth smaller and takes twice as long."""
LONGEST_LINE = 64 * 1024 * 1024
PIECE_ROWS, PIECE_BYTES = 1_000, 2 * 1024 * 1024
"""Rows are handed on in pieces that one transaction can take on a cluster, too."""
Value = int | str | None
"""What columns hold, in every database; a test holds the schema to it."""


class TableLine(msgspec.Struct, frozen=True):
    """Begins a table."""

    table: str
    columns: tuple[str, ...]


encoder = msgspec.json.Encoder()
row_decoder = msgspec.json.Decoder(list[Value])
table_decoder = msgspec.json.Decoder(TableLine)
trailer_decoder = msgspec.json.Decoder(Trailer)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Value]]


class BackupWriter:
    """Writes one backup, a piece at a time."""

    def __init__(self, out: BinaryIO, header: Header) -> None:
        self._file = GzipFile("", "wb", COMPRESSION, out, mtime=0)
        self._hash = hashlib.sha256()
        self._rows: dict[str, int] = {}
        self._table = ""
        self._write(encoder.encode_lines([header]))

    @property
    def count(self) -> int:
        """How many rows it has written."""
        return sum(self._rows.values())

    def begin(self, table: str, columns: tuple[str, ...]) -> None:
        self._table = table
        self._rows[table] = 0
        self._write(encoder.encode_lines([TableLine(table, columns)]))

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Adds rows to the table that was begun last."""
        self._rows[self._table] += len(rows)
        self._write(encoder.encode_lines(rows))

    def end(self) -> Trailer:
        trailer = Trailer(rows=self._rows, sha256=self._hash.hexdigest())
        self._file.write(encoder.encode_lines([trailer]))
        self._file.close()
        return trailer

    def _write(self, lines: bytes) -> None:
        self._hash.update(lines)
        self._file.write(lines)


class BackupReader:
    """Reads one backup once, and tells at its end whether it is whole.

    Attributes:
        header: known at once.
        trailer: known once `pieces` has come to its end.
    """

    def __init__(self, source: BinaryIO, name: str) -> None:
        """
        Raises:
            BackupFailed: it is no backup, or one of a newer format.
        """
        self._name = name
        self._file = GzipFile(fileobj=source, mode="rb")
        self._hash = hashlib.sha256()
        self._rows: dict[str, int] = {}
        self.trailer: Trailer | None = None
        self.header = self._read_header()

    def _read_header(self) -> Header:
        try:
            line = self._line()
            found = msgspec.json.decode(line)
            is_ours = isinstance(found, dict) and found.get("format") == FORMAT
        except (BackupFailed, msgspec.DecodeError):
            is_ours = False
        if not is_ours:
            raise BackupFailed(f"{self._name} is no backup of a metadata server.")
        if found.get("version") != FORMAT_VERSION:
            raise BackupFailed(
                f"{self._name} has version {found.get('version')} of the format, written by mds "
                f"{found.get('product')}; this one reads version {FORMAT_VERSION}. Use that mds."
            )
        self._hash.update(line)
        try:
            return msgspec.convert(found, Header)
        except msgspec.ValidationError as problem:
            raise self._altered(f"its first line is wrong: {problem}") from problem

    def pieces(self) -> Iterator[Piece]:
        """All rows, a few at a time; when it ends without a refusal the backup is whole.

        Raises:
            BackupFailed: it was cut off, or altered.
        """
        try:
            yield from self._pieces()
        except msgspec.DecodeError as problem:
            raise self._altered(str(problem)) from problem

    def _pieces(self) -> Iterator[Piece]:
        table: TableLine | None = None
        rows: list[list[Value]] = []
        size = 0
        while True:
            line = self._line()
            is_row = line.startswith(b"[")
            if table is not None and rows and (not is_row or is_full(rows, size)):
                yield Piece(table.table, table.columns, rows)
                rows, size = [], 0
            if is_row:
                rows.append(self._row(table, line))
                size += len(line)
            elif line.startswith(b'{"table":'):
                table = table_decoder.decode(line)
                self._begin(table)
            else:
                self._end(trailer_decoder.decode(line))
                return
            self._hash.update(line)

    def _row(self, table: TableLine | None, line: bytes) -> list[Value]:
        row = row_decoder.decode(line)
        if table is None or len(row) != len(table.columns):
            raise self._altered("a row does not fit its table")
        self._rows[table.table] += 1
        return row

    def _begin(self, table: TableLine) -> None:
        if table.table in self._rows:
            raise self._altered(f"the table {table.table} comes twice")
        self._rows[table.table] = 0

    def _end(self, trailer: Trailer) -> None:
        if trailer.sha256 != self._hash.hexdigest() or trailer.rows != self._rows:
            raise self._altered("its rows are not those that were written")
        if self._read():
            raise self._altered("something follows its end")
        self.trailer = trailer

    def _line(self) -> bytes:
        line = self._read()
        if not line.endswith(b"\n"):
            raise BackupFailed(
                f"{self._name} is cut off after {sum(self._rows.values()):,} rows. Take another one."
            )
        return line

    def _read(self) -> bytes:
        try:
            return self._file.readline(LONGEST_LINE)
        except EOFError:
            return b""
        except (BadGzipFile, zlib.error) as problem:
            raise self._altered(str(problem)) from problem

    def _altered(self, what: str) -> BackupFailed:
        return BackupFailed(
            f"{self._name} is damaged, or was altered: {what}. Take another backup."
        )


def is_full(rows: Sequence[object], size: int) -> bool:
    return len(rows) >= PIECE_ROWS or size >= PIECE_BYTES


def checked(reader: BackupReader) -> Checked:
    """Reads a backup to its end.

    Raises:
        BackupFailed: it was cut off, or altered.
    """
    for _ in reader.pieces():
        pass
    assert reader.trailer is not None, "pieces() ends with it"
    return Checked(reader.header, reader.trailer)
