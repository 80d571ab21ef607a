"""A file of any kind that is known, told by what it holds."""

import re

from control_units.importers.chaos import read_chaos
from control_units.importers.chaos.catalogue import is_catalogue
from control_units.importers.facility import read_documents
from control_units.importers.facility.documents import Document, documents_of
from control_units.importers.facility.shape import KINDS
from control_units.importers.findings import Findings, Reading
from control_units.importers.json_text import Broken
from control_units.importers.tables import Sheet, read_entries, read_table
from control_units.importers.tables.records import text_of

_TABLES = (".csv", ".tsv", ".tab")
_CHAOS = frozenset({"us", "eu", "cu_catalog"})
# The beginning of a line of YAML: a list, a key, a comment, a document.
_YAML = re.compile(r"(- |-\Z|#|---|%|[\w\"'.-]+\s*:(\s|\Z))")


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


def read_any(name: str, data: bytes) -> Reading | Sheet:
    """What a file holds: CSV; JSON or YAML in our own format, or a list of flat objects; an
    export of a !CHAOS site. Pure: no server is asked.

    Args:
        name: of the file, which may say what it is; empty: it was pasted.
    """
    if is_table(name, data):
        return read_table(data, name)
    findings = Findings()
    documents = list(documents_of(name, data, findings))
    if len(documents) == 1 and isinstance(documents[0].value, list):
        return read_entries(documents[0])
    if len(documents) == 1 and _is_chaos(documents[0]):
        return read_chaos(data)
    return read_documents(documents, findings)


def _is_chaos(document: Document) -> bool:
    value = document.value
    if not isinstance(value, dict):
        return False
    return not _CHAOS.isdisjoint(value) or (KINDS.keys().isdisjoint(value) and is_catalogue(value))
