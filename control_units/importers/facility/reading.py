"""Files in our own format, read into the items of a bundle."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from mds.v1.bundle_pb2 import BundleItem, PruneScope

from control_units.importers.facility.decoding import Decoder
from control_units.importers.facility.documents import Document, documents_of
from control_units.importers.facility.scopes import read_removed, read_scopes
from control_units.importers.facility.shape import KINDS
from control_units.importers.findings import Findings, Reading
from control_units.importers.json_text import Value, repeated_keys, write
from control_units.importers.places import element

_CHAOS = frozenset({"us", "eu"})
_SCOPE = "scope"
_REMOVE = "remove"
_LIST_AROUND_IT = (
    "a list of its kind around it, like 'templates:' and below it '- id: …'; this is one resource "
    "by itself, as `mds show` writes it"
)


def read_facility(data: bytes) -> Reading:
    """Everything that a file in our own format holds, YAML or JSON, and everything that is
    wrong with it. Pure: no server is asked, nothing is written."""
    return read_files([("", data)])


def read_files(files: Iterable[tuple[str, bytes]]) -> Reading:
    """Likewise, of several files, which make one bundle; each place begins with the name of its
    file and, where the file tells it, the line."""
    findings = Findings()
    found = (each for name, data in files for each in documents_of(name, data, findings))
    return read_documents(found, findings)


def read_documents(documents: Iterable[Document], findings: Findings) -> Reading:
    """Likewise, of documents that have been parsed.

    Args:
        findings: what parsing them has found; it grows.
    """
    reader = _Reader(findings)
    for document in documents:
        reader.take(document)
    return Reading(reader.items, reader.findings, reader.place_of, reader.scopes)


class _Reader:
    """Takes one document after the other."""

    def __init__(self, findings: Findings) -> None:
        self.items: list[BundleItem] = []
        self.findings = findings
        self.scopes: list[PruneScope] = []
        self._seen: dict[tuple[str, int], str] = {}
        self._origins: dict[str, tuple[Document, str]] = {}

    def take(self, document: Document) -> None:
        findings = Findings()
        for place, key in repeated_keys(document.value):
            findings.problem(
                place,
                "each key once in an object; the first is taken",
                value=key,
                reason="ALREADY_EXISTS",
            )
        for item in _items(document.value, findings):
            self._take_item(item, document)
        self.scopes.extend(_scopes(document.value, findings))
        for problem in findings.problems:
            place = document.place(problem.source)
            problem.message = problem.message.replace(problem.source, place, 1)
            problem.source = place
        self.findings.problems.extend(findings.problems)

    def _take_item(self, item: BundleItem, document: Document) -> None:
        path = item.source
        item.source = document.place(path)
        self._origins[item.source] = (document, path)
        kind = item.WhichOneof("resource") or ""
        resource = getattr(item, kind)
        name: str = item.removed or resource.name
        # Versions of one template stand beside each other.
        first = self._seen.setdefault((name, getattr(resource, "version", 0)), item.source)
        if first == item.source:
            self.items.append(item)
            return
        self.findings.problem(
            item.source,
            f"an id that nothing else has; the first is {first}",
            value=name.partition("/")[2],
            reason="ALREADY_EXISTS",
            name=name,
            field="name",
        )

    def place_of(self, item: BundleItem, field: str) -> str:
        document, path = self._origins[item.source]
        return document.place(f"{path}.{field}" if field else path)


def _items(document: Value, findings: Findings) -> Iterator[BundleItem]:
    if document is None:
        return
    if not isinstance(document, dict):
        expected = f"an object with lists: {', '.join(KINDS)}"
        findings.problem("the file", expected, value=write(document))
        return
    if foreign := sorted(_CHAOS & document.keys()):
        # What else the file has is right where it belongs.
        findings.problem(foreign[0], _expected_instead_of(foreign[0]), value=foreign[0])
        return
    if "id" in document:
        findings.problem("id", _LIST_AROUND_IT, value=write(document["id"]))
        return
    for name, value in document.items():
        if name == _SCOPE or (value is None and name in {*KINDS, _REMOVE}):
            continue
        if name not in {*KINDS, _REMOVE}:
            findings.problem(name, _expected_instead_of(name), value=name)
        elif not isinstance(value, list):
            findings.problem(name, "a list", value=write(value))
        elif name == _REMOVE:
            yield from read_removed(value, _REMOVE, findings)
        else:
            yield from _read_list(name, value, findings)


def _scopes(document: Value, findings: Findings) -> Iterator[PruneScope]:
    if isinstance(document, dict) and document.get(_SCOPE) is not None:
        yield from read_scopes(document[_SCOPE], _SCOPE, findings)


def _expected_instead_of(name: str) -> str:
    if name in _CHAOS:
        return "a list of our own format; this looks like a !CHAOS file: use `mds import chaos`"
    known = [*KINDS, _SCOPE, _REMOVE]
    close = get_close_matches(name, known, n=1)
    hint = f"perhaps {close[0]!r}; " if close else ""
    return f"{hint}one of {', '.join(known)}"


def _read_list(collection: str, entries: list[Value], findings: Findings) -> Iterator[BundleItem]:
    decoder = Decoder(findings)
    for index, entry in enumerate(entries):
        place = element(collection, index)
        item = BundleItem(source=place)
        resource = getattr(item, KINDS[collection])
        resource.SetInParent()
        if decoder.resource(resource, entry, place, collection):
            yield item
