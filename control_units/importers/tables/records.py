"""The cells of a CSV file, however a spreadsheet has written it, and where they stand."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from control_units.importers.json_text import Broken, decode, line_and_column

_DELIMITERS = ",;\t"
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_ZIP = b"PK\x03\x04"
_QUOTED = re.compile(r'"(?:[^"]|"")*"?')
# Excel's own word about what stands between cells.
_SAID = re.compile(r"sep=(.)\r?\n?\Z")
# What the csv module says, and what would be right.
_FAULTS = {
    "unexpected end of data": ("quotes that are never closed", "a second quote at their end"),
    "field larger": ("a cell that is too large", "at most 131,072 characters in a cell"),
    "expected after": ("something behind quotes that were closed", "quotes within quotes doubled"),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file.

    Attributes:
        number: as a spreadsheet counts its rows, from 1.
        line: that it begins in, from 1; less than its number never.
    """

    number: int
    line: int
    cells: tuple[str, ...]


def text_of(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 where it says so itself, as spreadsheets do.

    Raises:
        Broken: it is something else.
    """
    if data.startswith(_ZIP):
        found = "this is a workbook of a spreadsheet program"
        raise Broken(1, 1, found, "its sheet, saved as CSV (UTF-8)")
    encoding = _UTF_16.get(data[:2])
    if encoding is None:
        text = decode(data)
    else:
        try:
            text = data[2:].decode(encoding)
        except UnicodeDecodeError as error:
            found = f"the byte {error.start + 2} cannot stand in UTF-16"
            raise Broken(1, 1, found, "a file in UTF-8") from None
    if "\0" in text:
        line, column = line_and_column(text, text.index("\0"))
        raise Broken(line, column, "the character U+0000 is not text", "a file of text")
    return text


def records_of(text: str) -> Iterator[Record]:
    """The rows that have cells, the heads among them.

    Raises:
        Broken: quotes are not as they should be; the rows before have been told.
    """
    lines = io.StringIO(text, newline="")
    delimiter = _delimiter(lines)
    skipped = text.count("\n", 0, lines.tell())
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        begin = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(str(error), reader.line_num + skipped) from None
        number += 1
        if any(cell.strip() for cell in cells):
            yield Record(number, begin + skipped + 1, tuple(cells))


def _delimiter(lines: io.StringIO) -> str:
    """What stands between cells: what the first line has most of, outside of quotes. What comes
    next is the first row."""
    begin = lines.tell()
    first = lines.readline()
    if said := _SAID.match(first):
        return said[1] if said[1] not in '"\r\n' else ","
    while first and not first.strip():
        first = lines.readline()
    lines.seek(begin)
    bare = _QUOTED.sub("", first)
    return max(_DELIMITERS, key=bare.count)


def _broken(error: str, line: int) -> Broken:
    for part, (found, expected) in _FAULTS.items():
        if part in error:
            return Broken(line, 1, found, expected)
    return Broken(line, 1, error, "CSV without a fault at this place")
