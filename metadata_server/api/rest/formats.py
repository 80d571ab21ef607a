"""Files that a whole list can be had as: each written item by item, so that none is ever held
as a whole."""

from __future__ import annotations

import csv
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

import yaml
from google.protobuf.descriptor import FieldDescriptor
from typing_extensions import override

from metadata_server.api.rest.columns import Column, cell
from metadata_server.api.rest.encoding import Json, encoded

FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9.])")
"""What a spreadsheet would run."""


class Format(ABC):
    """One kind of file.

    Args:
        title: of what is listed: `controlUnits`.
    """

    word: str
    media_type: str

    def __init__(self, title: str, columns: Sequence[Column]) -> None:
        self.title = title
        self.columns = columns

    def beginning(self) -> bytes:
        return b""

    @abstractmethod
    def items(self, trees: Sequence[Json], *, is_first: bool) -> bytes:
        """Some items, none of which has come before."""

    def end(self, *, is_empty: bool) -> bytes:
        return b""


class Lines(Format):
    """A line of JSON for each item."""

    word, media_type = "ndjson", "application/x-ndjson"

    @override
    def items(self, trees: Sequence[Json], *, is_first: bool) -> bytes:
        return b"".join(encoded(tree) + b"\n" for tree in trees)


class Document(Format):
    """One object, as a page is, save that all items are in it."""

    word, media_type = "json", "application/json"

    @override
    def beginning(self) -> bytes:
        return b'{"%s":[' % self.title.encode()

    @override
    def items(self, trees: Sequence[Json], *, is_first: bool) -> bytes:
        lines = b",\n".join(map(encoded, trees))
        return (b"\n" if is_first else b",\n") + lines if trees else b""

    @override
    def end(self, *, is_empty: bool) -> bytes:
        return b"]}\n" if is_empty else b"\n]}\n"


class Yaml(Format):
    """A sequence of mappings."""

    word, media_type = "yaml", "application/yaml"

    @override
    def items(self, trees: Sequence[Json], *, is_first: bool) -> bytes:
        if not trees:
            return b""
        text: str = yaml.dump(
            list(trees), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True
        )
        return text.encode()

    @override
    def end(self, *, is_empty: bool) -> bytes:
        return b"[]\n" if is_empty else b""


class Csv(Format):
    """A header, and a row for each item (RFC 4180, UTF-8). What a spreadsheet would take for a
    formula begins with an apostrophe."""

    word, media_type = "csv", "text/csv"

    @override
    def beginning(self) -> bytes:
        return rows([[column.title for column in self.columns]])

    @override
    def items(self, trees: Sequence[Json], *, is_first: bool) -> bytes:
        return rows([harmless(cell(each.value(tree))) for each in self.columns] for tree in trees)


def rows(cells: object) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(cells)  # type: ignore[arg-type]
    return text.getvalue().encode()


def harmless(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


class VoTable(Format):
    """A table of the Virtual Observatory (VOTable 1.4, TABLEDATA)."""

    word, media_type = "votable", "application/x-votable+xml"

    @override
    def beginning(self) -> bytes:
        fields = "\n".join(
            f'<FIELD name="{attribute(column.title)}" {datatype(column.field)}/>'
            for column in self.columns
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
            f'<RESOURCE type="results"><TABLE name="{attribute(self.title)}">\n{fields}\n'
            "<DATA><TABLEDATA>\n"
        ).encode()

    @override
    def items(self, trees: Sequence[Json], *, is_first: bool) -> bytes:
        return "".join(map(self._row, trees)).encode()

    def _row(self, tree: Json) -> str:
        cells = (content(cell(column.value(tree))) for column in self.columns)
        return "<TR>" + "".join(f"<TD>{each}</TD>" for each in cells) + "</TR>\n"

    @override
    def end(self, *, is_empty: bool) -> bytes:
        return b"</TABLEDATA></DATA></TABLE></RESOURCE>\n</VOTABLE>\n"


TEXT = 'datatype="unicodeChar" arraysize="*"'
DATATYPES = {
    FieldDescriptor.CPPTYPE_BOOL: 'datatype="boolean"',
    FieldDescriptor.CPPTYPE_INT32: 'datatype="int"',
    FieldDescriptor.CPPTYPE_INT64: 'datatype="long"',
    FieldDescriptor.CPPTYPE_UINT32: 'datatype="long"',
    FieldDescriptor.CPPTYPE_DOUBLE: 'datatype="double"',
}


def datatype(field: FieldDescriptor) -> str:
    """How a VOTable calls the type of a column."""
    if field.message_type is not None and field.message_type.name == "Timestamp":
        return 'datatype="char" arraysize="*" xtype="timestamp"'
    return TEXT if field.is_repeated else DATATYPES.get(field.cpp_type, TEXT)


FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML cannot hold."""


def content(text: str) -> str:
    for plain, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(plain, escaped)
    return FORBIDDEN.sub("\ufffd", text)


def attribute(text: str) -> str:
    return content(text).replace('"', "&quot;")


FORMATS: tuple[type[Format], ...] = (Lines, Document, Yaml, Csv, VoTable)
