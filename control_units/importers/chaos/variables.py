"""Variables: JSON documents under a name."""

from collections.abc import Iterator

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.variable_pb2 import Variable

from control_units.importers.chaos.entries import members
from control_units.importers.findings import Findings
from control_units.importers.ids import fault_of
from control_units.importers.json_text import Value, write

_NAMES = ("name", "variable_name", "ndk_uid")


def read_variables(value: Value, place: str, findings: Findings) -> Iterator[BundleItem]:
    """All variables of the section. In a list, each is an object that says its name."""
    for key, at, document in members(value, place, findings):
        variable_id = key or _own_name(document)
        fault = fault_of(variable_id)
        if fault is not None:
            name = f"variables/{variable_id}"
            findings.problem(
                at, fault, value=variable_id, reason="INVALID_ID", name=name, field="name"
            )
            continue
        yield variable(variable_id, document, at)


def variable(variable_id: str, document: Value, place: str) -> BundleItem:
    """A document of the file as a variable."""
    return BundleItem(
        source=place, variable=Variable(name=f"variables/{variable_id}", value=write(document))
    )


def _own_name(document: Value) -> str:
    if not isinstance(document, dict):
        return ""
    names = (document.get(name) for name in _NAMES)
    return next((name for name in names if isinstance(name, str) and name), "")
