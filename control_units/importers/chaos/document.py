"""A whole file: its sections, read in the order in which they need each other."""

from collections.abc import Iterator

from mds.v1.bundle_pb2 import BundleItem

from control_units.importers.chaos.catalogue import is_catalogue, read_catalogue
from control_units.importers.chaos.facility import SECTIONS, read_facility
from control_units.importers.chaos.origins import Origins
from control_units.importers.chaos.templates import build_template
from control_units.importers.findings import Findings, Reading
from control_units.importers.json_text import Broken, Value, parse, repeated_keys

_OURS = frozenset({"templates", "unit_servers", "control_units", "execution_units", "policies"})
_OURS_INSTEAD = "what `mds export` writes is taken by `mds import facility`"


def read_chaos(data: bytes) -> Reading:
    """Everything that a file of a !CHAOS site holds, and everything that is wrong with it.

    Pure: no server is asked, nothing is written. Equal files give equal readings.
    """
    findings = Findings()
    try:
        document = parse(data)
    except Broken as broken:
        place = f"line {broken.line}, column {broken.column}"
        is_json = data.lstrip()[:1] in (b"{", b"[")
        hint = "" if is_json else f". If it is YAML: {_OURS_INSTEAD}"
        findings.problem(
            place,
            f"{broken.expected}{hint}",
            value=broken.found,
            message=f"This is no JSON file: {broken}{hint}",
        )
        return Reading([], findings)
    for place, key in repeated_keys(document):
        findings.problem(
            place,
            "each key once in an object; the first is taken",
            value=key,
            reason="ALREADY_EXISTS",
        )
    origins = Origins()
    return Reading(list(_items(document, findings, origins)), findings, origins.place_of)


def _items(document: Value, findings: Findings, origins: Origins) -> Iterator[BundleItem]:
    if isinstance(document, dict) and not _OURS.isdisjoint(document):
        expected = f"a file of a !CHAOS site; {_OURS_INSTEAD}"
        findings.problem("the file", expected, value=_outline(document))
    elif is_catalogue(document):
        for class_id, known in sorted(read_catalogue(document, "", findings).items()):
            yield BundleItem(source=known.place, template=build_template(class_id, [], known))
    elif isinstance(document, dict) and any(section in document for section in SECTIONS):
        yield from read_facility(document, findings, origins)
    else:
        findings.problem(
            "the file",
            f"an object with one of {', '.join(SECTIONS)}, or a catalogue of classes",
            value=_outline(document),
        )


def _outline(document: Value) -> str:
    if isinstance(document, dict):
        return f"an object with {', '.join(list(document)[:6]) or 'nothing in it'}"
    return "a list" if isinstance(document, list) else "a single value"
