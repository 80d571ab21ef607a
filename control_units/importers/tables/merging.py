"""Rows laid over the units that are there: whole declarations, as a bundle has them."""

import re
from collections.abc import Callable, Mapping, MutableMapping

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import AttributeOverride

from control_units.importers.findings import Findings, Locate, Reading
from control_units.importers.tables.cells import Exact, is_same, state_of
from control_units.importers.tables.columns import FACETS
from control_units.importers.tables.rows import Cell, Row, Sheet, cell_place

_OVERRIDE = re.compile(rf"overrides\[(.+)\]\.({'|'.join(FACETS)})\Z")
_MAPPED = re.compile(r"(labels|parameters)\[(.+)\]\Z")
# As a server counts them.
_SENT = re.compile(r"overrides\[(\d+)\](?:\.(\w+))?\Z")
_LISTED = re.compile(r"(requires|after)\[\d+\]\Z")


def merged(sheet: Sheet, current: Mapping[str, ControlUnit]) -> Reading:
    """The units of a table as they shall be; what a row does not say is as it is now.

    Args:
        current: the units of the table that are there, by name.
    """
    findings = Findings(problems=list(sheet.findings.problems))
    items = []
    for row in sheet.rows:
        now = current.get(f"control_units/{row.id}")
        if now is None and not row.fields.get("template"):
            _without_template(sheet, row, findings)
        else:
            items.append(BundleItem(source=row.place, control_unit=_unit(row, now)))
    return Reading(items, findings, _locator(sheet))


def labels_text(labels: Mapping[str, str]) -> str:
    """All labels in one cell, as lists of units have them."""
    return ", ".join(f"{key}={labels[key]}" if labels[key] else key for key in sorted(labels))


def _without_template(sheet: Sheet, row: Row, findings: Findings) -> None:
    head = sheet.heads.get("template", "template")
    place = cell_place(row.place, head)
    sheet.cells[place] = Cell(row.number, row.line, head)
    findings.problem(
        place,
        f"a template: there is no unit {row.id!r} yet, or its id is another one",
        value="",
        name=f"control_units/{row.id}",
    )


def _unit(row: Row, now: ControlUnit | None) -> ControlUnit:
    unit = ControlUnit()
    if now is not None:
        unit.CopyFrom(now)
    unit.name = f"control_units/{row.id}"
    overrides = _overrides(unit)
    for path, value in row.fields.items():
        if found := _OVERRIDE.match(path):
            _put(overrides.setdefault(found[1], {}), found[2], value)
        elif found := _MAPPED.match(path):
            _put(getattr(unit, found[1]), found[2], value)
        else:
            _PLAIN[path](unit, value or "")
    if now is not None and unit.template != now.template and "template_version" not in row.fields:
        unit.template_version = 0  # the number is one of the template before
    del unit.overrides[:]
    for attribute in sorted(attribute for attribute, facets in overrides.items() if facets):
        unit.overrides.append(AttributeOverride(attribute=attribute, **overrides[attribute]))
    return unit


def _overrides(unit: ControlUnit) -> dict[str, dict[str, str]]:
    """What is set of each attribute, by facet."""
    return {
        override.attribute: {
            field.name: value for field, value in override.ListFields() if field.name in FACETS
        }
        for override in unit.overrides
    }


def _put(texts: MutableMapping[str, str], key: str, value: str | None) -> None:
    """Sets or clears a text; one that a spreadsheet has written anew stays as it is."""
    if value is None:
        texts.pop(key, None)
    elif isinstance(value, Exact) or key not in texts or not is_same(texts[key], value):
        texts[key] = str(value)


def _put_labels(unit: ControlUnit, text: str) -> None:
    if text == labels_text(unit.labels):
        return
    unit.labels.clear()
    for pair in filter(None, (each.strip() for each in text.split(","))):
        key, _, value = pair.partition("=")
        unit.labels[key.strip()] = value.strip()


def _put_units(field: str) -> Callable[[ControlUnit, str], None]:
    def put(unit: ControlUnit, text: str) -> None:
        ids = filter(None, text.split(","))
        getattr(unit, field)[:] = [f"control_units/{id}" for id in ids]

    return put


def _put_version(unit: ControlUnit, text: str) -> None:
    unit.template_version = int(text or 0)


def _put_level(unit: ControlUnit, text: str) -> None:
    unit.level = int(text or 0)


def _put_description(unit: ControlUnit, text: str) -> None:
    unit.description = text


def _put_template(unit: ControlUnit, text: str) -> None:
    unit.template = f"templates/{text}"


def _put_unit_server(unit: ControlUnit, text: str) -> None:
    unit.unit_server = f"unit_servers/{text}" if text else ""


def _put_state(unit: ControlUnit, text: str) -> None:
    unit.desired_state = state_of(text)


_PLAIN: Mapping[str, Callable[[ControlUnit, str], None]] = {
    "template": _put_template,
    "template_version": _put_version,
    "unit_server": _put_unit_server,
    "description": _put_description,
    "desired_state": _put_state,
    "level": _put_level,
    "requires": _put_units("requires"),
    "after": _put_units("after"),
    "labels": _put_labels,
}


def _locator(sheet: Sheet) -> Locate:
    """Tells the cell of a field that a server has something against."""
    rows = {row.place: row for row in sheet.rows}

    def locate(item: BundleItem, field: str) -> str:
        row = rows[item.source]
        head = _head(sheet, row, _path(item.control_unit, field))
        place = cell_place(row.place, head)
        sheet.cells[place] = Cell(row.number, row.line, head)
        return place

    return locate


def _path(unit: ControlUnit, field: str) -> str:
    """The path of a field as columns have it; a server counts overrides as they were sent."""
    found = _SENT.match(field)
    if found and int(found[1]) < len(unit.overrides):
        facet = found[2] if found[2] in FACETS else "default_value"
        return f"overrides[{unit.overrides[int(found[1])].attribute}].{facet}"
    if found := _LISTED.match(field):
        return found[1]
    return "id" if field in {"", "name"} else field


def _head(sheet: Sheet, row: Row, path: str) -> str:
    """The column of a path, or of another facet of its attribute that the row says; else what is
    wrong was there before, and is told by its path."""
    if path in sheet.heads:
        return sheet.heads[path]
    around = path.rpartition(".")[0]
    others = (each for each in row.fields if around and each.startswith(f"{around}."))
    return sheet.heads.get(next(others, ""), path)
