"""The example facility that ships with the project."""

from importlib import resources
from pathlib import Path

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.state_pb2 import State

from control_units.importers.facility import read_facility

README = Path(__file__).resolve().parents[2] / "README.md"


def items(kind: str) -> list[BundleItem]:
    file = resources.files("control_units.simulated") / "facility.yaml"
    reading = read_facility(file.read_bytes())
    assert not reading.findings.problems
    return [item for item in reading.items if item.WhichOneof("resource") == kind]


def test_it_shows_what_a_facility_has() -> None:
    units = [item.control_unit for item in items("control_unit")]
    zones = {unit.name.removeprefix("control_units/").partition("/")[0] for unit in units}

    assert zones == {"GUN", "LINAC", "TRANSFER", "RING", "PLANT"}
    assert {unit.unit_server for unit in units} == {
        item.unit_server.name for item in items("unit_server")
    }
    assert {unit.template for unit in units} == {item.template.name for item in items("template")}
    assert all(unit.desired_state == State.STATE_RUNNING for unit in units)


def test_the_readme_says_how_large_it_is() -> None:
    assert f"{len(items('control_unit'))} control units" in " ".join(README.read_text().split())
