"""Files of any kind that is known, told by what they hold."""

import re
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.control_unit_pb2 import ControlUnit

from control_units.importers.chaos import read_chaos
from control_units.importers.chaos.catalogue import is_catalogue
from control_units.importers.facility import read_documents
from control_units.importers.facility.documents import Document, documents_of
from control_units.importers.facility.shape import KINDS
from control_units.importers.findings import Findings, Reading
from control_units.importers.json_text import Broken
from control_units.importers.tables import Cell, Sheet, merged, read_entries, read_table
from control_units.importers.tables.records import text_of

_TABLES = (".csv", ".tsv", ".tab")
_CHAOS = frozenset({"us", "eu", "cu_catalog"})
# The beginning of a line of YAML: a list, a key, a comment, a document.
_YAML = re.compile(r"(- |-\Z|#|---|%|[\w\"'.-]+\s*:(\s|\Z))")


@dataclass(frozen=True, slots=True)
class Content:
    """What files hold: whole resources, and tables, whose rows change fields of units."""

    reading: Reading
    sheets: Sequence[Sheet] = ()

    @property
    def names(self) -> list[str]:
        """Of the units in tables."""
        return [name for sheet in self.sheets for name in sheet.names]

    @property
    def cells(self) -> Mapping[str, Cell]:
        """Where in tables problems stand, by their places."""
        return ChainMap(*(sheet.cells for sheet in self.sheets))

    @property
    def ignored(self) -> list[str]:
        """Heads of columns that nobody can change."""
        return [head for sheet in self.sheets for head in sheet.ignored]

    def over(self, current: Mapping[str, ControlUnit]) -> Reading:
        """All of it as one bundle.

        Args:
            current: the units in tables that are there, by name.
        """
        if not self.sheets:
            return self.reading
        parts = [self.reading, *(merged(sheet, current) for sheet in self.sheets)]
        by_source = {item.source: part for part in parts for item in part.items}
        findings = Findings(notes=self.reading.findings.notes)
        for part in parts:
            findings.problems.extend(part.findings.problems)

        def locate(item: BundleItem, field: str) -> str:
            return by_source[item.source].locate(item, field)

        items = [item for part in parts for item in part.items]
        return Reading(items, findings, locate, self.reading.scopes)


def read_files(files: Iterable[tuple[str, bytes]]) -> Content:
    """What files hold that make one bundle: CSV, JSON or YAML in our own format, lists of flat
    objects. Pure: no server is asked.

    Args:
        files: by their names, which may say what they are.
    """
    findings = Findings()
    documents: list[Document] = []
    sheets = []
    for name, data in files:
        if is_table(name, data):
            sheets.append(read_table(data, name))
        else:
            documents.extend(documents_of(name, data, findings))
    return _content(documents, sheets, findings)


def read_any(name: str, data: bytes) -> Content:
    """Likewise one file, which may be an export of a !CHAOS site, too."""
    if is_table(name, data):
        return _content([], [read_table(data, name)], Findings())
    findings = Findings()
    documents = list(documents_of(name, data, findings))
    if len(documents) == 1 and _is_chaos(documents[0]):
        documents.clear()
        return Content(read_chaos(data))
    return _content(documents, [], findings)


def _content(documents: Iterable[Document], sheets: Iterable[Sheet], findings: Findings) -> Content:
    """Documents that are lists are tables, too."""
    tables, others = list(sheets), []
    for document in documents:
        if isinstance(document.value, list):
            tables.append(read_entries(document))
        else:
            others.append(document)
    return Content(read_documents(others, findings), tables)


def is_table(name: str, data: bytes) -> bool:
    """Whether a file is CSV, by its name or, if that does not say, by its first line."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return False
    if name.lower().endswith((".yaml", ".yml", ".json")):
        return False
    if name.lower().endswith(_TABLES):
        return True
    try:
        first = text_of(data[:100_000].rpartition(b"\n")[0] or data).strip().partition("\n")[0]
    except Broken:
        # A reader of tables names what is wrong with the file of a spreadsheet.
        return data[:2] in (b"PK", b"\xff\xfe", b"\xfe\xff")
    return not _YAML.match(first)


def _is_chaos(document: Document) -> bool:
    value = document.value
    if not isinstance(value, dict):
        return False
    return not _CHAOS.isdisjoint(value) or (KINDS.keys().isdisjoint(value) and is_catalogue(value))
