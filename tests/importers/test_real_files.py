"""The exports of real sites, where they lie beside the project."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mds.v1.bundle_pb2 import BundleItem

from control_units.importers.chaos import read_chaos
from control_units.importers.facility import read_facility, write_facility
from control_units.importers.findings import Reading
from tests.importers.configurations import effective
from tests.importers.files import problems, resources

FILES = ("dafne", "lnf-production", "lnf-production-2015-format", "cu-catalog")


def read(folder: Path, name: str) -> Reading:
    return read_chaos((folder / f"{name}.json").read_bytes())


def counts(reading: Reading) -> dict[str, int]:
    return dict(Counter(item.WhichOneof("resource") or "" for item in reading.items))


def test_dafne(chaos_files: Path) -> None:
    reading = read(chaos_files, "dafne")
    assert counts(reading) == {
        "template": 10,
        "agent": 1,
        "unit_server": 4,
        "script": 11,
        "control_unit": 378,
        "execution_unit": 3,
        "variable": 3,
    }
    assert problems(reading) == [("us.SIMPS_0.cu_desc[118]", "ALREADY_EXISTS")]
    (problem,) = reading.findings.problems
    assert problem.value == "DAFNE/LL/UFS/UFSLL578"
    assert "us.SIMPS_0.cu_desc[117]" in problem.expected
    supplies = template_users(reading)["driver::powersupply::SCPowerSupplyControlUnit"]
    assert supplies == 366
    assert {server.launch.agent for server in resources(reading, "unit_server").values()} == {
        "agents/test-agent"
    }


def test_lnf_production(chaos_files: Path) -> None:
    reading = read(chaos_files, "lnf-production")
    assert counts(reading) == {
        "template": 21,
        "agent": 7,
        "unit_server": 31,
        "script": 12,
        "control_unit": 454,
        "execution_unit": 21,
        "variable": 5,
        "snapshot": 8,
    }
    assert not problems(reading)
    assert template_users(reading)["driver::powersupply::RTMG1PowerSupply"] == 364
    launched = [s for s in resources(reading, "unit_server").values() if s.HasField("launch")]
    assert len(launched) == 20
    assert (
        sum(len(unit.values) for s in resources(reading, "snapshot").values() for unit in s.units)
        == 232
    )


def test_the_older_format(chaos_files: Path) -> None:
    reading = read(chaos_files, "lnf-production-2015-format")
    assert counts(reading) == {"template": 14, "unit_server": 40, "control_unit": 197}
    by_reason = Counter(reason for _, reason in problems(reading))
    assert by_reason == {"OVERRIDE_OUT_OF_RANGE": 9, "INVALID_FIELD": 2, "ALREADY_EXISTS": 1}
    assert ("us[14].cu_desc[6].AttrDesc[8].ds_default_value", "OVERRIDE_OUT_OF_RANGE") in problems(
        reading
    )
    assert ("us[17]", "ALREADY_EXISTS") in problems(reading)
    assert "c8:1f:66:b1:27:48" in resources(reading, "unit_server")


def test_the_catalogue(chaos_files: Path) -> None:
    reading = read(chaos_files, "cu-catalog")
    assert counts(reading) == {"template": 10}
    assert not problems(reading)


def test_the_broken_file(chaos_files: Path) -> None:
    reading = read(chaos_files, "broken-flame-camera")
    (problem,) = reading.findings.problems
    assert problem.source == "line 1322, column 1"
    assert "opened at line 2, column 11" in problem.value
    assert not reading.items


@pytest.mark.parametrize("name", FILES)
def test_every_unit_runs_with_what_its_entry_states(chaos_files: Path, name: str) -> None:
    """What the file states of attributes is looked for without the reader's own means."""
    reading = read(chaos_files, name)
    stated = dict(entries(json.loads((chaos_files / f"{name}.json").read_text())))
    templates = {t.name: t for t in resources(reading, "template").values()}
    for unit_id, unit in resources(reading, "control_unit").items():
        used = effective(unit, templates[unit.template]).attributes
        for described in stated[unit_id]:
            attribute_name = described.get("cudk_ds_attr_name") or described.get("ds_attr_name")
            texts = {
                str(value)
                for field, value in described.items()
                if not field.endswith("_name") and value not in ("", "NA")
            }
            assert set(used.get(attribute_name, {}).values()) == texts
        names = {d.get("cudk_ds_attr_name") or d.get("ds_attr_name") for d in stated[unit_id]}
        assert set(used) <= names


def entries(document: Any) -> Iterator[tuple[str, Any]]:
    """Id and described attributes of each unit, first come first."""
    seen = set()
    servers = document.get("us", [])
    for server in servers.values() if isinstance(servers, dict) else servers:
        for unit in server.get("us_desc", server).get("cu_desc") or []:
            unit_id = unit.get("ndk_uid") or unit.get("cu_id")
            if unit_id not in seen:
                yield (
                    unit_id,
                    unit.get("attribute_value_descriptions") or unit.get("AttrDesc") or [],
                )
            seen.add(unit_id)


@pytest.mark.parametrize("name", FILES)
def test_what_is_read_survives_our_own_format(chaos_files: Path, name: str) -> None:
    items = read(chaos_files, name).items
    for format in ("yaml", "json"):
        text = write_facility(items, format)
        again = read_facility(text.encode())
        assert not again.findings.problems
        assert write_facility(again.items, format) == text
        assert sorted(map(content, again.items)) == sorted(map(content, items))


def content(item: BundleItem) -> bytes:
    resource = getattr(item, item.WhichOneof("resource") or "")
    serialized: bytes = resource.SerializeToString(deterministic=True)
    return serialized


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_read_quickly(chaos_files: Path, name: str) -> None:
    data = (chaos_files / f"{name}.json").read_bytes()
    start = time.process_time()
    read_chaos(data)
    assert time.process_time() - start < 1.5


def template_users(reading: Reading) -> Counter[str]:
    units = resources(reading, "control_unit").values()
    return Counter(unit.template.removeprefix("templates/") for unit in units)
