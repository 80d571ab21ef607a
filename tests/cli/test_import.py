"""Facilities in and out, through a real server on each kind of database."""

import asyncio
import json
import os
import pty
import time
from pathlib import Path
from typing import Any

import pytest
from mds.v1.kind_pb2 import KIND_CONTROL_UNIT_STATUS, KIND_UNIT_SERVER_STATUS
from mds.v1.position_pb2 import Position
from mds.v1.unit_server_pb2 import ListUnitServersRequest
from mds.v1.watch_pb2 import WatchRequest

from control_units.client import Client
from tests.cli.conftest import Ended, Mds, run_mds
from tests.conftest import StartReplica
from tests.importers.files import attribute, driver, facility, unit
from tests.stages.nursery import MDS
from tests.stages.replica import Replica

REPORTED = (KIND_CONTROL_UNIT_STATUS, KIND_UNIT_SERVER_STATUS)


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> str:
    """URL of an empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_database")
    return url


def small_facility(*, maximum: str = "10", units: int = 3) -> dict[str, object]:
    """A class with a few units, and something of every other kind."""
    stated = [
        unit(
            f"A/B/{number}",
            attribute("current", default="1", min="0", max=maximum, unit="A"),
            cudk_driver_description=[driver("Sim", f"channel {number}")],
            cudk_thr_sch_delay=1000000,
            auto_load=True,
            auto_init=True,
            auto_start=True,
            ndk_sub_type="nt_sc_cu",
        )
        for number in range(units)
    ]
    association = {
        "ndk_uid": "S",
        "node_launch_cmd_line": "UnitServer",
        "node_init_cfg": "a=1\nb=2\n",
    }
    return facility(
        *stated,
        agents={"agent": {"name": "agent", "info": {"andk_node_associated": [association]}}},
        eu={"E": {"ndk_parent": "agent", "control_unit_implementation": "f.C"}},
        scripts=[{"script_name": "f.C", "eudk_script_content": "aW50IGE7Cg=="}],
        variables={"v": {"x": 1}},
        snapshots={"s": {"snap": {"name": "s", "ts": 1000},
                         "dataset": [{"name": "A/B/0", "input": {"current": 1.5}}]}},
    )  # fmt: skip


ITEMS = 10
"""A template, a unit server, an agent, a script, three units, and one each of the rest."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path, small_facility())


def write(folder: Path, document: object, *, name: str = "site.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document))
    return path


def report_of(ended: Ended) -> Any:
    return json.loads(ended.out)


async def test_an_import_takes_all_and_again_changes_nothing(mds: Mds, file: Path) -> None:
    first = report_of(await mds("import", "chaos", str(file), "--format", "json"))
    assert first["applied"]
    assert first["counts"]["created"] == ITEMS
    assert first["properties"]["control_unit"] == {"ndk_sub_type": 3}
    again = await mds("import", "chaos", str(file), "--format", "json")
    assert again.code == 0
    second = report_of(again)
    assert second["counts"]["unchanged"] == ITEMS
    assert second["revision"] == first["revision"]
    assert "Nothing to do" in (await mds("import", "chaos", str(file))).out


async def test_a_dry_run_names_what_would_be_and_writes_nothing(mds: Mds, file: Path) -> None:
    ended = await mds("import", "chaos", str(file), "--dry-run")
    assert ended.code == 0
    assert "+ control_units/A/B/0 created" in ended.out
    assert f"{ITEMS} created" in ended.out
    assert (await mds("export")).out == "{}\n"


async def test_a_file_with_problems_is_not_taken_unless_they_are_skipped(
    mds: Mds, tmp_path: Path
) -> None:
    document = small_facility()
    document["us"]["S"]["cu_desc"].append(unit("A/B/0"))  # type: ignore[index]
    document["us"]["S"]["cu_desc"].append(unit("A/C", attribute("current", inc="-1")))  # type: ignore[index]
    file = write(tmp_path, document)
    ended = await mds("import", "chaos", str(file))
    assert ended.code == 1
    assert "us.S.cu_desc[3]" in ended.out
    # Only the server has this rule; it is told in the same run, with the file's own place.
    assert "us.S.cu_desc[4].attribute_value_descriptions[0].cudk_ds_attr_inc" in ended.out
    assert (await mds("export")).out == "{}\n"
    skipped = await mds("import", "chaos", str(file), "--skip-invalid", "--format", "json")
    assert skipped.code == 0
    assert report_of(skipped)["counts"]["created"] == ITEMS


@pytest.mark.parametrize(
    ("choice", "code", "maximum"), [("fail", 1, "10"), ("skip", 0, "10"), ("replace", 0, "20")]
)
async def test_what_is_there_and_differs(
    mds: Mds, file: Path, tmp_path: Path, *, choice: str, code: int, maximum: str
) -> None:
    await mds("import", "chaos", str(file))
    changed = write(tmp_path, small_facility(maximum="20"), name="changed.json")
    ended = await mds("import", "chaos", str(changed), "--on-conflict", choice)
    assert ended.code == code
    exported = json.loads((await mds("export", "--format", "json", "--kind", "templates")).out)
    assert exported["templates"][-1]["attributes"][0]["maximum"] == maximum


async def test_an_export_into_an_empty_server_gives_the_same_export(
    mds: Mds, file: Path, database: str, start_replica: StartReplica, tmp_path: Path
) -> None:
    await mds("import", "chaos", str(file))
    changed = write(tmp_path, small_facility(maximum="20"), name="changed.json")
    await mds("import", "chaos", str(changed), "--on-conflict", "replace")
    empty = await start_replica(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    environment = {"MDS_ADDRESS": empty.address}
    for format in ("yaml", "json"):
        exported = (await mds("export", "--format", format)).out
        ended = await run_mds(
            "import", "facility", "-", environment=environment, stdin=exported.encode()
        )
        assert ended.code == 0, ended.out
        again = await run_mds("export", "--format", format, environment=environment)
        assert again.out == exported


async def test_an_export_of_some(mds: Mds, file: Path) -> None:
    await mds("import", "chaos", str(file))
    ended = await mds("export", "--kind", "control_units", "--prefix", "A/B/1", "--format", "json")
    exported = json.loads(ended.out)
    assert [each["id"] for each in exported["control_units"]] == ["A/B/1"]
    assert list(exported) == ["control_units"]


async def test_the_history_knows_who_and_why(mds: Mds, file: Path, replica: Replica) -> None:
    await mds("--as", "integrator@desk", "import", "chaos", str(file), "--reason", "first of all")
    async with Client(replica.address) as client:
        page = await client.unit_servers.ListUnitServers(ListUnitServersRequest())
        start = Position(store_id=page.position.store_id, epoch=page.position.epoch)
        watch = client.watch.Watch(WatchRequest(position=start), timeout=20)
        async for change in watch:
            if change.events:
                break
        watch.cancel()
    declared = [each for each in change.events if each.kind not in REPORTED]
    assert {event.author for event in declared} == {"integrator@desk"}
    assert {event.reason for event in declared} == {"first of all"}


async def test_dafne_is_imported_with_its_one_problem_left_out(mds: Mds, chaos_files: Path) -> None:
    file = str(chaos_files / "dafne.json")
    assert (await mds("import", "chaos", file)).code == 1
    ended = await mds("import", "chaos", file, "--skip-invalid", "--format", "json")
    assert ended.code == 0
    report = report_of(ended)
    assert report["counts"]["created"] == 410
    assert [problem["source"] for problem in report["problems"]] == ["us.SIMPS_0.cu_desc[118]"]


async def test_a_production_dump_is_imported_in_less_than_five_seconds(
    mds: Mds, chaos_files: Path
) -> None:
    start = time.monotonic()
    ended = await mds("import", "chaos", str(chaos_files / "lnf-production.json"))
    assert ended.code == 0
    assert time.monotonic() - start < 5


async def test_a_bar_is_shown_on_a_terminal_only(mds: Mds, file: Path, replica: Replica) -> None:
    assert not (await mds("import", "chaos", str(file), "--dry-run")).err
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            MDS, "import", "chaos", str(file),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=theirs,
            env={**os.environ, "MDS_ADDRESS": replica.address, "TERM": "xterm"},
        )  # fmt: skip
        async with asyncio.timeout(60):
            assert await process.wait() == 0
        assert f"/{ITEMS}" in os.read(ours, 100_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)
