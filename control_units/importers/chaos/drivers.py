"""Drivers of units, of execution units, and in the catalogue."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mds.v1.driver_pb2 import Driver

from control_units.importers.chaos.entries import Entry, entries, is_empty, text_of
from control_units.importers.findings import Findings
from control_units.importers.json_text import Number, Value, write

_NAME = ("cudk_driver_description_name", "DriverDescriptionName")
_VERSION = ("cudk_driver_description_version", "DriverDescriptionVersion")
_INIT_PARAMETER = ("cudk_driver_description_init_parameter", "DriverDescriptionInitParam")
_PROPERTIES = ("cudk_driver_prop", "DriverDescriptionProp")


@dataclass(frozen=True, slots=True)
class StatedDriver:
    """What one entry of a file says of one driver; `rest` is what the model cannot say."""

    driver: Driver
    rest: Mapping[str, Value] = field(default_factory=dict)


def read_drivers(value: Value, place: str, findings: Findings) -> Iterator[StatedDriver]:
    """All drivers of a list or object, in order; one without a name is a problem."""
    for entry in entries(value, place, findings):
        name = entry.text(*_NAME) or entry.key
        if not name:
            at = entry.place_of(*_NAME)
            findings.problem(at, "the name of a driver", value="", field="drivers")
            continue
        properties = _properties(entry)
        driver = Driver(
            name=name,
            version=entry.text(*_VERSION),
            init_parameter=entry.text(*_INIT_PARAMETER),
            properties=properties,
        )
        rest = {name: value for name, value in entry.left_over() if not is_empty(value)}
        yield StatedDriver(driver, rest)


def rests_of(stated: Iterable[StatedDriver]) -> dict[str, Value]:
    """What is left over of drivers, by their names; of the second of a name as `Serial#2`."""
    found: dict[str, Value] = {}
    for each in stated:
        label, number = each.driver.name, 1
        while label in found:
            number += 1
            label = f"{each.driver.name}#{number}"
        found[label] = dict(each.rest)
    return {label: rest for label, rest in found.items() if rest}


def _properties(entry: Entry) -> dict[str, str]:
    """They come as an object, as a list of names with values, or as the text of one of these;
    whatever else comes is left over."""
    value = entry.take(*_PROPERTIES)
    found = _named(_parsed(value))
    if found is None:
        entry.put_back(_PROPERTIES[0], value)
        return {}
    return found


def _parsed(value: Value) -> Value:
    if not isinstance(value, str) or not value.strip():
        return value or None
    try:
        parsed: Value = json.loads(value, parse_int=Number, parse_float=Number)
        write(parsed).encode()
    except (ValueError, RecursionError):
        return value
    return parsed


def _named(value: Value) -> dict[str, str] | None:
    if value is None:
        return {}
    if isinstance(value, dict):
        return {name: text_of(inner) for name, inner in value.items()}
    if not isinstance(value, list):
        return None
    found: dict[str, str] = {}
    for pair in value:
        if not isinstance(pair, dict) or set(pair) != {"name", "value"}:
            return None
        name, text = text_of(pair["name"]), text_of(pair["value"])
        if name in found or (text and not name):
            return None
        if name:
            found[name] = text
    return found
