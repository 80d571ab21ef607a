"""What clients of !CHAOS read: searches, statuses, descriptions, datasets, documents."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from tests.chaos_facade.conftest import Dashboard
from tests.chaos_facade.facility import (
    AGENT,
    CLASS,
    OTHER,
    SCRIPT,
    SERVER,
    SNAPSHOT,
    TEXT,
    UNITS,
    document,
    unit,
)

ALL = [*UNITS, OTHER]


@pytest.mark.parametrize(
    ("parm", "found"),
    [
        ({"what": "cu", "alive": False}, ALL),
        ({"alive": False}, ALL),
        ({"what": "cu", "name": " ", "alive": False}, ALL),
        ({"what": "cu", "name": "QUA/Q", "alive": False}, list(UNITS)),
        ({"what": "cu", "name": "qua/q", "alive": False}, []),
        ({"what": "cu", "name": "LAB/*/Q2", "alive": False}, [UNITS[1]]),
        ({"what": "cu", "name": "^LAB/.*2$", "alive": False}, [UNITS[1]]),
        ({"what": "cu", "name": "^MAG", "alive": False}, []),
        ({"what": "cu", "names": ["Q3", "Q1", "Q3"], "alive": False}, [UNITS[2], UNITS[0]]),
        ({"what": "cu", "impl": "::lab::Power", "alive": False}, ALL),
        ({"what": "cu", "impl": "Camera", "alive": False}, []),
        ({"what": "cu", "name": "", "alive": True}, []),
        ({"what": "cu"}, []),
        ({"what": "us", "alive": False}, [SERVER]),
        ({"what": "us", "alive": True}, []),
        ({"what": "agent", "alive": False}, [AGENT]),
        ({"what": "agent", "alive": True}, []),
        ({"what": "zone", "alive": False}, ["LAB/MAG"]),
        ({"what": "class", "alive": False}, ["QUA"]),
        ({"what": "insnapshot", "name": SNAPSHOT}, [UNITS[0]]),
        (
            {"what": "snapshots"},
            [{"name": SNAPSHOT, "ts": 1_600_000_000_000}],
        ),
        (
            {"what": "snapshotsof", "name": UNITS[0]},
            [{"name": SNAPSHOT, "ts": 1_600_000_000_000}],
        ),
        ({"what": "snapshotsof", "name": UNITS[1]}, []),
        (
            {"what": "cu", "alive": False, "pagestart": 1, "pagelen": 3},
            {"pages": 2, "list": [OTHER]},
        ),
        ({"what": "cu", "alive": False, "pagestart": 5, "pagelen": 3}, {"pages": 2, "list": []}),
        ({"what": "cu", "alive": False, "pagelen": 2}, ALL[:2]),
    ],
)
async def test_a_search_finds(reader: Dashboard, parm: Mapping[str, Any], found: Any) -> None:
    told = await reader.mds("search", **parm)
    assert (told.status, told.json) == (200, found)


async def test_variables_are_searched_and_read(reader: Dashboard) -> None:
    searched = await reader.mds("search", what="variable", name="high", alive=True)
    assert searched.json == ["highcharts"]
    assert (await reader.mds("variable", what="search", name="high")).json == ["highcharts"]
    read = await reader.mds("variable", what="get", name="highcharts")
    assert read.json == document()["variables"]["highcharts"]
    absent = await reader.mds("variable", what="get", name="synoptics")
    assert (absent.status, absent.reason) == (404, "VARIABLE_NOT_FOUND")


async def test_a_search_may_be_a_get_that_a_page_has_written_by_hand(reader: Dashboard) -> None:
    parm = quote("{'name': ' ' , 'what': 'zone', alive:false}")
    for path in (f"/CU?cmd=search&parm={parm}", f"/MDS?&cmd=search&parm={parm}"):
        told = await reader.send("GET", path)
        assert (told.status, told.json) == (200, ["LAB/MAG"])
    head = await reader.send("HEAD", path)
    assert (head.status, head.json) == (200, None)


async def test_a_form_may_be_encoded_as_forms_are(reader: Dashboard) -> None:
    parm = {"cmd": "search", "parm": '{"what":"cu","name":"Q2","alive":false}'}
    assert (await reader.send("POST", "/MDS", parm)).json == [UNITS[1]]


async def test_units_are_described_as_their_file_had_them(reader: Dashboard) -> None:
    told = await reader.cu(f"{UNITS[0]},{OTHER}", "desc")
    assert [each["ndk_uid"] for each in told.json] == [UNITS[0], OTHER]
    first = told.json[0]
    assert first["ndk_parent"] == SERVER
    said = {name: value for name, value in unit(UNITS[0]).items() if value != ""}
    assert first["instance_description"] == said
    assert first["cudk_ds_init"]["current"]["cudk_ds_max_range"] == "50"
    by_name = await reader.mds("node", what="desc", name=UNITS[0])
    assert by_name.json == first
    assert (await reader.mds("search", what="desc", name=UNITS[0])).json == first
    got = await reader.mds("node", what="get", type="cu", names=[UNITS[0]])
    assert got.json == [first["instance_description"]]


async def test_hosts_are_described_with_what_they_host(reader: Dashboard) -> None:
    server = (await reader.mds("node", what="get", type="us", name=SERVER)).json["us_desc"]
    assert (server["ndk_desc"], server["ndk_parent"]) == ("the laboratory", AGENT)
    assert [each["ndk_uid"] for each in server["cu_desc"]] == ALL
    assert server["cu_desc"][0]["control_unit_implementation"] == CLASS
    parent = await reader.mds("node", what="parent", type="us", name=SERVER)
    assert parent.json == {"ndk_uid": AGENT}
    agent = (await reader.mds("node", what="info", type="agent", name=AGENT)).json
    (launched,) = agent["andk_node_associated"]
    assert (launched["ndk_uid"], launched["node_launch_cmd_line"]) == (SERVER, "run")
    one = await reader.mds("node", what="get", type="agent", name=AGENT, parent=SERVER)
    assert one.json == launched
    for id, type_ in ((SERVER, "nt_unit_server"), (AGENT, "nt_agent")):
        assert (await reader.mds("node", what="desc", type="all", name=id)).json[
            "ndk_type"
        ] == type_


async def test_statuses_and_channels_of_units_that_do_not_run(reader: Dashboard) -> None:
    told = await reader.cu(f"{UNITS[0]},LAB/GONE", "status")
    assert told.status == 200
    first, gone = told.json
    assert (first["ndk_uid"], first["dev_status"], first["error_status"]) == (
        UNITS[0],
        "uknown",
        "",
    )
    assert gone["error_status"].startswith("CONTROL_UNIT_NOT_FOUND")
    (whole,) = (await reader.cu(UNITS[0], "channel", "-1")).json
    assert whole["input"] == {"ndk_uid": UNITS[0], "dpck_ds_type": 1}
    assert whole["system"]["cudk_thr_sch_delay"] == 1_000_000
    assert whole["health"]["nh_status"] == ""
    (summary,) = (await reader.cu(UNITS[0], "channel", "255")).json
    assert set(summary) == {
        *("health", "system", "device_alarms", "cu_alarms"),
        *("dev_status", "log_status", "error_status"),
    }
    (custom,) = (await reader.cu(UNITS[0], "channel", "2")).json
    assert custom["cudk_ds_init"]["current"]["cudk_ds_attr_unit"] == "A"
    nodes = await reader.mds("node", what="health", type="cu", names=list(UNITS))
    assert [each["health"]["ndk_uid"] for each in nodes.json] == list(UNITS)
    none = await reader.cu("LAB/GONE,LAB/LOST", "status")
    assert (none.status, none.reason) == (404, "CONTROL_UNIT_NOT_FOUND")


async def test_a_snapshot_is_read_as_it_was_imported(reader: Dashboard) -> None:
    (dataset,) = (await reader.mds("snapshot", what="load", name=SNAPSHOT)).json
    inputs = {"ndk_uid": UNITS[0], "dpck_ds_type": 1, "current": 12.5}
    assert (dataset["name"], dataset["input"]) == (UNITS[0], inputs)
    assert dataset["dataset_list"][0]["cudk_ds_name"] == f"{UNITS[0]}_i"
    assert (await reader.mds("snapshot", what="load", name=SNAPSHOT, node_list=[OTHER])).json == []
    of_units = await reader.cu(f"{UNITS[0]},{UNITS[1]}", "load", SNAPSHOT)
    assert of_units.json == [dataset, {}]
    assert (await reader.cu(UNITS[0], "load", {"snapname": SNAPSHOT})).json == [dataset]
    assert (await reader.cu(f"{UNITS[0]},{OTHER}", "list")).json == [[SNAPSHOT], []]


async def test_scripts_are_found_and_loaded(reader: Dashboard) -> None:
    (found,) = (await reader.mds("search", what="script", name="")).json["found_script_list"]
    assert (found["script_name"], found["seq"]) == (SCRIPT, 17)
    value = {"script_name": SCRIPT, "seq": 17}
    loaded = (await reader.mds("script", what="load", name="", value=value)).json
    assert base64.b64decode(loaded["eudk_script_content"]).decode() == TEXT
    assert loaded["eudk_script_language"] == "JS"


async def test_the_log_is_what_was_changed(reader: Dashboard) -> None:
    told = await reader.mds("log", what="search", type="all", name=UNITS[0], start=0, end=10**13)
    (entry,) = told.json["result_list"]
    assert (entry["mdsndk_nl_sid"], entry["mdsndk_nl_e_ed"]) == (UNITS[0], "importer")
    everything = await reader.mds("log", what="search", type="all", name="", start=0, end=10**15)
    assert len(everything.json["result_list"]) == len(ALL)
    before = await reader.mds("log", what="search", type="all", name="", start=0, end=1_000)
    assert before.json == {"result_list": []}
    errors = await reader.mds("log", what="search", type="error", name=UNITS[0])
    assert errors.json == {"result_list": []}


async def test_text_of_any_language_and_sign_comes_through(reader: Dashboard) -> None:
    text = json.dumps({"what": "get", "name": "größe & +%41"}, ensure_ascii=False)
    told = await reader.send("POST", "/MDS", f"cmd=variable&parm={text}".encode())
    assert (told.status, told.reason) == (400, "INVALID_ID")
    assert "größe & +%41" in told.json["error_status"]
