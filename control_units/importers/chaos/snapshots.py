"""Snapshots: the inputs of units as values, all else as it came.

Values come as MongoDB extended JSON: `{"$binary": {"base64": …}}`, `{"$numberLong": "5"}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.dataset_pb2 import ValueType
from mds.v1.snapshot_pb2 import SavedUnit, SavedValue, Snapshot

from control_units.importers.chaos.attributes import TYPES, name_fault
from control_units.importers.chaos.entries import Entry, entries, text_of, timestamp_ms
from control_units.importers.chaos.units import take_id
from control_units.importers.findings import Findings
from control_units.importers.ids import fault_of
from control_units.importers.json_text import Number, Value, write
from control_units.importers.numbers import number_of

_PARTS: Mapping[str, str] = {
    "_o": "output",
    "_i": "input",
    "_c": "custom",
    "_s": "system",
    "_a": "device_alarms",
    "_w": "cu_alarms",
}
"""Datasets of a unit by the suffix that a snapshot gives to their keys."""

# What !CHAOS adds to each dataset; no attributes of the unit.
_ADDED = ("dpck_", "dsndk_", "cudk_", "ndk_")
_TYPED: Mapping[str, "ValueType.ValueType"] = {
    "$numberInt": ValueType.VALUE_TYPE_INT32,
    "$numberLong": ValueType.VALUE_TYPE_INT64,
    "$numberDouble": ValueType.VALUE_TYPE_DOUBLE,
}


def read_snapshots(value: Value, place: str, findings: Findings) -> Iterator[BundleItem]:
    """All snapshots of the section that can be taken."""
    for entry in entries(value, place, findings):
        before = len(findings.problems)
        entry.unfold("snap")
        snapshot = Snapshot(
            name=f"snapshots/{take_id(entry, 'snapshots', findings, spellings=('name',))}"
        )
        time = entry.take("ts")
        milliseconds = timestamp_ms(time)
        if milliseconds is not None:
            snapshot.taken_time.FromMilliseconds(milliseconds)
        else:
            entry.put_back("ts", time)
        at = entry.place_of("dataset")
        units = [
            _read_unit(each, snapshot.name, findings)
            for each in entries(entry.take("dataset"), at, findings)
        ]
        snapshot.units.extend(sorted(units, key=lambda unit: unit.control_unit.encode()))
        snapshot.properties.update(entry.properties(findings))
        if len(findings.problems) == before:
            yield BundleItem(source=entry.place, snapshot=snapshot)


def _read_unit(entry: Entry, snapshot: str, findings: Findings) -> SavedUnit:
    unit_id = entry.text("name") or entry.key
    fault = fault_of(unit_id)
    if fault is not None:
        findings.problem(
            entry.place_of("name"), fault, value=unit_id, reason="INVALID_ID", name=snapshot
        )
    _drop_said_twice(entry, unit_id, findings)
    types = _types(entry.original("custom"))
    part = entry.take("input")
    inputs = part if isinstance(part, dict) else {}
    added = {n: v for n, v in inputs.items() if n.startswith(_ADDED) or name_fault(n)}
    values = []
    for name in sorted(inputs):
        if name not in added:
            saved = _read_value(inputs[name])
            if saved.rest:
                added[f"{name}.$binary"] = saved.rest
            type_ = types.get(name, saved.type)
            values.append(SavedValue(attribute=name, type=type_, value=saved.text))
    unit = SavedUnit(control_unit=unit_id, values=values)
    if added or (part is not None and not isinstance(part, dict)):
        entry.put_back("input", added or part)
    unit.properties.update(entry.properties(findings))
    return unit


def _drop_said_twice(entry: Entry, unit_id: str, findings: Findings) -> None:
    """`dataset_list` repeats the parts under keys of its own; what is equal is not kept."""
    listed = entry.original("dataset_list")
    if not isinstance(listed, list):
        return
    entry.take("dataset_list")
    differing: list[Value] = []
    for each in listed:
        if not isinstance(each, dict) or set(each) != {"cudk_ds_name", "dataset_value"}:
            differing.append(each)
            continue
        key = text_of(each["cudk_ds_name"])
        part = _PARTS.get(key.removeprefix(unit_id))
        if part is None or entry.original(part) != each["dataset_value"]:
            differing.append(each)
        else:
            findings.repeated["dataset_list"] += 1
    if differing:
        entry.put_back("dataset_list", differing)


def _types(custom: Value) -> dict[str, "ValueType.ValueType"]:
    """Types of inputs, where the unit left its attributes' descriptions in the snapshot."""
    described = custom.get("cudk_ds_init") if isinstance(custom, dict) else None
    if not isinstance(described, dict):
        return {}
    found = {}
    for name, attribute in described.items():
        number = attribute.get("cudk_ds_attr_type") if isinstance(attribute, dict) else None
        type_ = TYPES.get(text_of(number))
        if type_ is not None:
            found[name] = type_
    return found


@dataclass(frozen=True, slots=True)
class _Saved:
    """A value with its type; a whole number may be any, so it has none."""

    text: str
    type: "ValueType.ValueType" = ValueType.VALUE_TYPE_UNSPECIFIED
    rest: Value = None


def _read_value(value: Value) -> _Saved:
    if isinstance(value, bool):
        return _Saved(text_of(value), ValueType.VALUE_TYPE_BOOL)
    if isinstance(value, Number):
        is_whole = value.lstrip("-").isdecimal()
        return _Saved(
            str(value),
            ValueType.VALUE_TYPE_UNSPECIFIED if is_whole else ValueType.VALUE_TYPE_DOUBLE,
        )
    if isinstance(value, str):
        return _Saved(value, ValueType.VALUE_TYPE_STRING)
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in _TYPED and number_of(text_of(inner)) is not None:
            return _Saved(text_of(inner), _TYPED[name])
        if name == "$binary":
            return _read_binary(inner)
    return _Saved(write(value), ValueType.VALUE_TYPE_JSON)


def _read_binary(inner: Value) -> _Saved:
    """Both forms that MongoDB has had; a subtype other than plain bytes is kept beside."""
    if isinstance(inner, dict):
        rest = {n: v for n, v in inner.items() if n != "base64" and v != "00"}
        text = text_of(inner.get("base64"))
        return _Saved(text, ValueType.VALUE_TYPE_BYTES, rest or None)
    return _Saved(text_of(inner), ValueType.VALUE_TYPE_BYTES)
