"""A real accelerator, asked for as the dashboards of its site ask."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.template_pb2 import Template

from control_units.importers.chaos import read_chaos
from control_units.importers.findings import Reading
from tests.chaos_facade.conftest import Dashboard, started
from tests.importers.configurations import Effective, effective
from tests.importers.files import resources
from tests.stages.replica import Replica


@pytest.fixture(scope="module")
def dafne(chaos_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    file = (chaos_files / "dafne.json").read_bytes()
    yield from started(tmp_path_factory.mktemp("dafne"), "read", file)


def configurations(reading: Reading) -> dict[str, Effective]:
    templates: dict[str, Template] = resources(reading, "template")
    units: dict[str, ControlUnit] = resources(reading, "control_unit")
    return {
        name: effective(unit, templates[unit.template.partition("/")[2]])
        for name, unit in units.items()
    }


async def test_what_is_told_of_servers_is_a_file_that_means_the_same(
    dafne: Replica, chaos_files: Path, session: Any
) -> None:
    page = Dashboard(session, dafne.http)
    servers = (await page.mds("search", what="us", alive=False)).json
    told = await page.mds("node", what="get", type="us", names=servers)
    again = read_chaos(json.dumps({"us": told.json}).encode())
    assert not again.findings.problems
    first = read_chaos((chaos_files / "dafne.json").read_bytes())
    assert configurations(again) == configurations(first)
    wanted, found = (resources(each, "control_unit") for each in (first, again))
    for name, unit in wanted.items():
        kept = ("description", "unit_server", "desired_state")
        assert all(getattr(found[name], field) == getattr(unit, field) for field in kept), name
        assert dict(found[name].properties) == dict(unit.properties), name


async def test_all_units_are_polled_at_once(dafne: Replica, session: Any) -> None:
    page = Dashboard(session, dafne.http)
    units = (await page.mds("search", what="cu", alive=False)).json
    assert len(units) == 378
    everything = ",".join(units)
    described = (await page.cu(everything, "desc")).json
    assert [each["ndk_uid"] for each in described] == units
    channels = (await page.cu(everything, "channel", "-1")).json
    assert [each["health"]["ndk_uid"] for each in channels] == units
    assert (await page.mds("search", what="zone", alive=False)).json[:2] == sorted(
        {id.rsplit("/", 2)[0] for id in units}
    )[:2]
    supplies = await page.mds("search", what="cu", impl="SCPowerSupply", alive=False)
    assert len(supplies.json) == 366
    paged = await page.mds("search", what="cu", alive=False, pagestart=3, pagelen=100)
    assert paged.json == {"pages": 4, "list": units[300:]}


async def test_documents_of_the_site_are_what_they_were(
    dafne: Replica, chaos_files: Path, session: Any
) -> None:
    page = Dashboard(session, dafne.http)
    file = json.loads((chaos_files / "dafne.json").read_bytes())
    for name, value in file["variables"].items():
        assert (await page.mds("variable", what="get", name=name)).json == value
    for name, script in file["scripts"].items():
        loaded = (await page.mds("script", what="load", value={"script_name": name})).json
        content = "".join(script["eudk_script_content"].split())
        assert loaded["eudk_script_content"] == content
        assert loaded["seq"] == int(script["seq"])
