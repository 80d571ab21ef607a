"""What a file says beside its resources: what it names in full, and what shall be gone."""

from collections.abc import Iterator

from mds.v1.bundle_pb2 import BundleItem, PruneScope
from mds.v1.kind_pb2 import Kind

from control_units.importers.facility.shape import KINDS
from control_units.importers.findings import Findings
from control_units.importers.ids import fault_of
from control_units.importers.json_text import Number, Value, write
from control_units.importers.places import element, member

_FIELDS = ("kinds", "prefix")


def read_scopes(value: Value, place: str, findings: Findings) -> Iterator[PruneScope]:
    """The parts of the facility that a file names in full."""
    if not isinstance(value, list):
        findings.problem(
            place, "a list of objects with `kinds`, `prefix` or both", value=write(value)
        )
        return
    for index, entry in enumerate(value):
        found = _scope(entry, element(place, index), findings)
        if found is not None:
            yield found


def _scope(entry: Value, place: str, findings: Findings) -> PruneScope | None:
    # Empty, it would mean the whole facility, which nobody says by accident with `prefix: ''`.
    if not isinstance(entry, dict) or not entry:
        findings.problem(place, "an object with `kinds`, `prefix` or both", value=write(entry))
        return None
    before = len(findings.problems)
    for name in entry.keys() - set(_FIELDS):
        findings.problem(member(place, name), f"one of {', '.join(_FIELDS)}", value=name)
    prefix = entry.get("prefix", "")
    if not isinstance(prefix, str):
        findings.problem(member(place, "prefix"), "a text", value=write(prefix))
    kinds = _kinds(entry.get("kinds"), member(place, "kinds"), findings)
    if len(findings.problems) > before:
        return None
    return PruneScope(kinds=kinds, id_prefix=str(prefix))


def _kinds(value: Value, place: str, findings: Findings) -> "list[Kind.ValueType]":
    if value is None:
        return []
    expected = f"a list of {', '.join(KINDS)}"
    if not isinstance(value, list):
        findings.problem(place, expected, value=write(value))
        return []
    wrong = [each for each in value if not isinstance(each, str) or each not in KINDS]
    for each in wrong:
        findings.problem(place, expected, value=write(each))
    return [Kind.Value(f"KIND_{KINDS[str(each)].upper()}") for each in value if each not in wrong]


def read_removed(entries: list[Value], place: str, findings: Findings) -> Iterator[BundleItem]:
    """The resources that shall not be there any more, by their names."""
    for index, entry in enumerate(entries):
        at = element(place, index)
        name = entry if isinstance(entry, str) and not isinstance(entry, Number) else ""
        collection, _, resource_id = name.partition("/")
        if collection not in KINDS:
            expected = f"KIND/ID, with a KIND of {', '.join(KINDS)}"
            findings.problem(at, expected, value=name or write(entry))
        elif fault := fault_of(resource_id):
            findings.problem(at, fault, value=resource_id, reason="INVALID_ID", name=name)
        else:
            yield BundleItem(source=at, removed=name)
