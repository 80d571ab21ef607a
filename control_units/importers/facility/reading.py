"""A file in our own format, read into the items of a bundle."""

from collections.abc import Iterator
from difflib import get_close_matches

from mds.v1.bundle_pb2 import BundleItem

from control_units.importers.facility.decoding import Decoder
from control_units.importers.facility.shape import KINDS
from control_units.importers.facility.yaml_reading import parse_yaml
from control_units.importers.findings import Findings, Reading
from control_units.importers.json_text import Broken, Value, parse, repeated_keys, write
from control_units.importers.places import element

_CHAOS = frozenset({"us", "eu"})


def read_facility(data: bytes) -> Reading:
    """Everything that a file in our own format holds, YAML or JSON, and everything that is
    wrong with it. Pure: no server is asked, nothing is written."""
    findings = Findings()
    try:
        document = parse(data) if data.lstrip()[:1] in {b"{", b"["} else parse_yaml(data)
    except Broken as broken:
        findings.problem(
            f"line {broken.line}, column {broken.column}",
            broken.expected,
            value=broken.found,
            message=f"This file cannot be read: {broken}",
        )
        return Reading([], findings)
    for place, key in repeated_keys(document):
        findings.problem(
            place,
            "each key once in an object; the first is taken",
            value=key,
            reason="ALREADY_EXISTS",
        )
    return Reading(list(_items(document, findings)), findings)


def _items(document: Value, findings: Findings) -> Iterator[BundleItem]:
    if not isinstance(document, dict):
        expected = f"an object with lists: {', '.join(KINDS)}"
        findings.problem("the file", expected, value=write(document))
        return
    for name, value in document.items():
        if name not in KINDS:
            findings.problem(name, _expected_instead_of(name), value=name)
        elif isinstance(value, list):
            yield from _read_list(name, value, findings)
        elif value is not None:
            findings.problem(name, "a list", value=write(value))


def _expected_instead_of(name: str) -> str:
    if name in _CHAOS:
        return "a list of our own format; this looks like a !CHAOS file: use `mds import chaos`"
    close = get_close_matches(name, KINDS, n=1)
    hint = f"perhaps {close[0]!r}; " if close else ""
    return f"{hint}one of {', '.join(KINDS)}"


def _read_list(collection: str, entries: list[Value], findings: Findings) -> Iterator[BundleItem]:
    decoder = Decoder(findings)
    seen: dict[tuple[str, int], str] = {}
    for index, entry in enumerate(entries):
        place = element(collection, index)
        item = BundleItem(source=place)
        resource = getattr(item, KINDS[collection])
        resource.SetInParent()
        if not decoder.resource(resource, entry, place, collection):
            continue
        # Versions of one template stand beside each other.
        identity = (resource.name, getattr(resource, "version", 0))
        first = seen.setdefault(identity, place)
        if first == place:
            yield item
        else:
            findings.problem(
                place,
                f"an id that nothing else has; the first is {first}",
                value=resource.name.partition("/")[2],
                reason="ALREADY_EXISTS",
                name=resource.name,
                field="name",
            )
