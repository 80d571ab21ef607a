"""What clients of !CHAOS change, where they may: by POST, through the same services as all."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

from control_units import ControlUnit, Direction, RecoverableError, attribute
from control_units.unit_server import UnitServer
from tests.chaos_facade.conftest import Dashboard, Told
from tests.chaos_facade.facility import OTHER, SERVER, UNITS
from tests.stages.replica import Replica
from tests.stages.waiting import until


class Supply(ControlUnit, implementation="::lab::PowerSupply"):
    """Fails where a test says so."""

    current = attribute(direction=Direction.INPUT, unit="A", default=0.0)
    measured = attribute(direction=Direction.OUTPUT, unit="A", default=0.0)
    fails: ClassVar[set[str]] = set()
    recover_attempts = 0

    async def on_start(self) -> None:
        if self.id in self.fails:
            raise RecoverableError("the mains are off")


@contextlib.asynccontextmanager
async def hosted(replica: Replica, folder: Path) -> AsyncIterator[None]:
    """The unit server of the laboratory."""
    server = UnitServer([Supply], SERVER, address=replica.address, state_folder=folder / "state")
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()
        async with asyncio.timeout(20):
            await task


async def until_states(page: Dashboard, *states: str) -> list[Any]:
    """The healths of the three units, once they are so."""
    found: list[Any] = []

    async def so() -> bool:
        found[:] = (await page.cu(",".join(UNITS), "channel", "4")).json
        return tuple(each["nh_status"] for each in found) == states

    await until(so, within=40, what=f"{states}")
    return found


async def test_a_section_is_started_set_saved_restored_and_stopped(
    page: Dashboard, writable: Replica, tmp_path: Path
) -> None:
    everything = ",".join(UNITS)
    async with hosted(writable, tmp_path):
        await until_states(page, "Load", "Load", "Load")
        alive = await page.mds("search", what="cu", name="LAB/", alive=True)
        assert alive.json == list(UNITS)
        assert (await page.mds("search", what="us", alive=True)).json == [SERVER]
        assert (await page.mds("search", what="cu", state="Load", alive=False)).json == [
            *UNITS,
            OTHER,
        ]
        started = await page.cu(everything, "start")
        assert started.status == 200
        assert all(each["log_status"].startswith("ordered: ") for each in started.json)
        healths = await until_states(page, "Start", "Start", "Start")
        assert all(each["dpck_ats"] > 0 for each in healths)
        (status, *_) = (await page.cu(everything, "status")).json
        assert (status["dev_status"], status["error_status"]) == ("start", "")

        assert (await page.cu(UNITS[0], "attr", {"current": 12.5})).status == 200
        assert (
            await page.cu(UNITS[1], "attr", {"current": {"$numberDouble": "7.5"}})
        ).status == 200
        await until_inputs(page, 12.5, 7.5)
        (whole,) = (await page.cu(UNITS[0], "channel", "-1")).json
        assert (whole["output"]["dpck_ds_type"], whole["input"]["current"]) == (0, 12.5)
        assert whole["custom"]["cudk_ds_init"]["measured"]["cudk_ds_attr_dir"] == 1
        (read,) = (await page.cu(UNITS[0], "readin", "current")).json
        assert read["val"] == 12.5
        assert read["ts"] > 0

        saved = await page.mds("snapshot", what="create", name="run", node_list=list(UNITS))
        assert saved.json == list(UNITS)
        assert (await page.cu(everything, "attr", {"current": "0x3"})).status == 200
        await until_inputs(page, 3.0, 3.0)
        restored = await page.mds("snapshot", what="restore", name="run")
        assert {each["ndk_uid"] for each in restored.json} == set(UNITS)
        await until_inputs(page, 12.5, 7.5)
        again = await page.cu(UNITS[0], "restore", "run")
        assert again.json[0]["log_status"] == "as it is declared already"

        stopped = await page.mds("node", what="stop", type="cu", names=list(UNITS))
        assert [each["ndk_uid"] for each in stopped.json] == list(UNITS)
        await until_states(page, "Stop", "Stop", "Stop")


async def until_inputs(page: Dashboard, first: float, second: float) -> None:
    async def so() -> bool:
        told = (await page.cu(f"{UNITS[0]},{UNITS[1]}", "channel", "1")).json
        return [each.get("current") for each in told] == [first, second]

    await until(so, within=40, what=f"{first}, {second}")


async def test_a_unit_that_fails_says_why_and_recovers(
    page: Dashboard, writable: Replica, tmp_path: Path
) -> None:
    Supply.fails.add(UNITS[2])
    try:
        async with hosted(writable, tmp_path):
            assert (await page.cu(UNITS[2], "start")).status == 200

            async def failed() -> bool:
                (health,) = (await page.cu(UNITS[2], "channel", "4")).json
                return bool(health["nh_status"] == "Recoverable Error")

            await until(failed, within=40, what="the error")
            (status,) = (await page.cu(UNITS[2], "status")).json
            assert status["dev_status"] == "recoverable error"
            assert "the mains are off" in status["error_status"]
            Supply.fails.clear()
            assert (await page.cu(UNITS[2], "recover")).status == 200

            async def recovered() -> bool:
                (health,) = (await page.cu(UNITS[2], "channel", "4")).json
                return bool(health["nh_status"] == "Start")

            await until(recovered, within=40, what="the recovery")
            assert (await page.cu(UNITS[2], "unload")).status == 200
    finally:
        Supply.fails.clear()


async def test_variables_are_set_and_deleted_with_who_and_why(page: Dashboard) -> None:
    value = {"x": {"$numberDouble": "10.34"}, "y": [True, None, "größe"]}
    who = {"Mds_Principal": "ada", "Mds_Reason": "moved", "Idempotency_Key": "k-1"}
    for _ in range(2):  # the second time it is the same call
        told = await page.mds("variable", who, what="set", name="point", value=value)
        assert (told.status, told.json) == (200, {"x": 10.34, "y": [True, None, "größe"]})
    changed = await page.mds("variable", what="set", name="point", value='{"x": 1}')
    assert changed.json == {"x": 1}
    assert (await page.mds("variable", what="get", name="point")).json == {"x": 1}
    history = await page.send("GET", "/v1/changes?name=variables/point")
    sets = [each["changeSet"] for each in history.json["changes"]]
    assert len(sets) == 2
    assert (sets[-1]["author"], sets[-1]["reason"]) == ("ada", "moved")
    assert (await page.mds("variable", what="del", name="point")).json == {}
    assert (await page.mds("variable", what="del", name="point")).status == 404


async def test_scripts_are_saved_changed_and_deleted(page: Dashboard) -> None:
    content = base64.b64encode(b"run();").decode()
    script = {
        "script_name": "new.js",
        "eudk_script_content": content,
        "eudk_script_language": "JS",
        "seq": 99,
        "eudk_script_keepalive": True,
    }
    assert (await page.mds("script", what="save", value=script)).json == {}
    loaded = (await page.mds("script", what="load", value={"script_name": "new.js"})).json
    assert {name: loaded[name] for name in script} == script
    described = {"script_name": "new.js", "script_description": "starts"}
    assert (await page.mds("script", what="save", value=described)).status == 200
    loaded = (await page.mds("script", what="load", value={"script_name": "new.js"})).json
    assert (loaded["script_description"], loaded["eudk_script_content"]) == ("starts", content)
    assert (await page.mds("script", what="del", value=script)).json == {}
    assert (await page.mds("script", what="load", value=script)).status == 404


async def test_snapshots_are_set_by_hand_and_deleted(page: Dashboard) -> None:
    inputs = {"ndk_uid": OTHER, "current": 0.5, "stby": True, "dpck_ats": 5}
    value = {"input": inputs, "output": {"ndk_uid": OTHER, "current": 0.5}}
    assert (await page.mds("snapshot", what="set", name="by-hand", value=value)).json == {}
    other = {"input": {"ndk_uid": UNITS[0], "current": 2.0}}
    assert (await page.mds("snapshot", what="set", name="by-hand", value=other)).json == {}
    first, second = (await page.mds("snapshot", what="load", name="by-hand")).json
    assert (first["input"]["current"], second["input"]) == (
        2.0,
        {"ndk_uid": OTHER, "dpck_ds_type": 1, "current": 0.5, "stby": True},
    )
    assert (await page.mds("snapshot", what="delete", name="by-hand")).json == []
    assert (await page.cu(OTHER, "delete", "by-hand")).status == 404


async def test_settings_of_units_become_parameters(page: Dashboard) -> None:
    assert (await page.cu(OTHER, "sched", "500000")).status == 200

    async def set_(**properties: int) -> Told:
        value = {"properties": [properties]}
        return await page.mds("node", what="set", type="cu", name=OTHER, value=value)

    told = await set_(dsndk_storage_type=3)
    assert (told.status, told.json) == (200, {})
    (system,) = (await page.cu(OTHER, "channel", "3")).json
    assert (system["cudk_thr_sch_delay"], system["dsndk_storage_type"]) == (500_000, 3)
    unknown = await set_(dsndk_storage_live_time=10)
    assert (unknown.status, unknown.reason) == (400, "NOT_IN_TEMPLATE")


async def test_units_and_servers_are_made_launched_and_deleted(page: Dashboard) -> None:
    made = await page.mds("node", what="create", type="us", names=["TMP/A", "TMP/B"])
    assert made.json == [{}, {}]
    assert (await page.mds("node", what="create", type="us", name="TMP/A")).status == 409
    refused = await page.mds("node", what="start", type="us", name="TMP/A")
    assert (refused.status, refused.reason) == (409, "NO_AGENT")
    for what in ("start", "restart", "stop"):
        assert (await page.mds("node", what=what, type="us", name=SERVER)).json == {}
    assert (await page.mds("node", what="del", type="us", names=["TMP/A", "TMP/B"])).status == 200
    gone = await page.mds("node", what="del", type="cu", name="TMP/U", parent=SERVER)
    assert (gone.status, gone.reason) == (404, "CONTROL_UNIT_NOT_FOUND")
