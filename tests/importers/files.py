"""Small files of both generations, and ways to look at what was read of them."""

import json
from typing import Any

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.template_pb2 import Template

from control_units.importers.chaos import read_chaos
from control_units.importers.findings import Reading

SUPPLY = "::driver::powersupply::SCPowerSupplyControlUnit"


def attribute(name: str, **fields: object) -> dict[str, object]:
    """A described attribute of the newer generation, by the suffixes of its fields."""
    spelt = {
        "default": "cudk_default_value",
        "max": "cudk_ds_max_range",
        "min": "cudk_ds_min_range",
    }
    described: dict[str, object] = {"cudk_ds_attr_name": name}
    for field, value in fields.items():
        described[spelt.get(field, f"cudk_ds_attr_{field}")] = value
    return described


def driver(name: str, init: str = "", version: str = "1.0.0") -> dict[str, object]:
    return {
        "cudk_driver_description_name": name,
        "cudk_driver_description_version": version,
        "cudk_driver_description_init_parameter": init,
    }


def unit(uid: str, *attributes: object, **fields: object) -> dict[str, object]:
    """A unit of the newer generation."""
    return {
        "ndk_uid": uid,
        "ndk_type": "nt_control_unit",
        "control_unit_implementation": SUPPLY,
        "attribute_value_descriptions": list(attributes),
        **fields,
    }


def facility(*units: object, **sections: object) -> dict[str, object]:
    """A file with one unit server, `S`, keyed by its name."""
    return {"us": {"S": {"ndk_uid": "S", "cu_desc": list(units)}}, **sections}


def read(document: object) -> Reading:
    return read_chaos(json.dumps(document).encode())


def read_soundly(document: object) -> Reading:
    """Likewise, of a file that must have no problems."""
    reading = read(document)
    assert not reading.findings.problems
    return reading


def resources(reading: Reading, kind: str) -> dict[str, Any]:
    """Resources of a kind by their ids."""
    found = (getattr(item, kind) for item in reading.items if item.WhichOneof("resource") == kind)
    return {resource.name.partition("/")[2]: resource for resource in found}


def only_unit(reading: Reading) -> ControlUnit:
    (found,) = resources(reading, "control_unit").values()
    assert isinstance(found, ControlUnit)
    return found


def template_of(reading: Reading, implementation: str = SUPPLY) -> Template:
    found = resources(reading, "template")[implementation.removeprefix("::")]
    assert isinstance(found, Template)
    return found


def problems(reading: Reading) -> list[tuple[str, str]]:
    """Place and reason of each."""
    return [(problem.source, problem.reason) for problem in reading.findings.problems]


def sources(items: list[BundleItem]) -> list[str]:
    return [item.source for item in items]
