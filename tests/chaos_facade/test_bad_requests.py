"""What clients of !CHAOS get wrong, or this server does not have: a status of its own for each,
told in the shape that they read, and never a fault."""

import gzip
import io
import json
import re
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from metadata_server.api.chaos.form import LARGEST_FORM_BYTES
from tests.chaos_facade.conftest import Dashboard, Told
from tests.chaos_facade.facility import OTHER, UNITS

DEEP = "[" * 5000 + "]" * 5000
HALF = '{"what":"set","name":"x","value":{"a":"\\ud800"}}'


def told_well(told: Told) -> bool:
    return bool(
        told.json["error_status"].startswith(f"{told.reason}: ")
        and told.json["error"]["code"] == told.status
        and told.json["dev_status"] == "uknown"
        and told.json["log_status"] == ""
    )


@pytest.mark.parametrize(
    ("path", "data", "status", "reason"),
    [
        ("/MDS", "", 400, "INVALID_FIELD"),
        ("/CU", "", 400, "INVALID_FIELD"),
        ("/CU", f"dev={UNITS[0]}", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=serach", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=search&parm={}}", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=search&parm=[1]", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=search&parm=17", 400, "INVALID_FIELD"),
        ("/MDS", f"cmd=search&parm={DEEP}", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=search&parm=" + '{"a":' * 5000, 400, "INVALID_FIELD"),
        ("/MDS", '{"cmd":"search"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"what":"everything"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"what":17}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"what":"cu","alive":"yes"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"what":"cu","names":"x"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"what":"cu","name":"(a|b)"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"what":"cu","name":"\' OR 1=1"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"what":"cu","state":"Flying"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"pagelen":-1,"pagestart":0}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"pagelen":0,"pagestart":0}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"pagelen":1.5,"pagestart":0}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=search&parm={"pagelen":' + "9" * 5000 + "}", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=search&parm={'a':1e999}", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=search&parm={what:NaN}", 400, "INVALID_FIELD"),
        ("/MDS", "cmd=node&parm={}", 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=node&parm={"what":"get","name":"x"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=node&parm={"what":"get","type":"cu"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=node&parm={"what":"get","type":"cu","name":"/x/"}', 400, "INVALID_ID"),
        (
            "/MDS",
            'cmd=node&parm={"what":"get","type":"cu","name":"x"}',
            404,
            "CONTROL_UNIT_NOT_FOUND",
        ),
        (
            "/MDS",
            'cmd=node&parm={"what":"get","type":"us","name":"x"}',
            404,
            "UNIT_SERVER_NOT_FOUND",
        ),
        ("/MDS", 'cmd=node&parm={"what":"info","type":"agent","name":"x"}', 404, "AGENT_NOT_FOUND"),
        ("/MDS", 'cmd=node&parm={"what":"desc","name":"x"}', 404, "CONTROL_UNIT_NOT_FOUND"),
        ("/MDS", 'cmd=snapshot&parm={"what":"load","name":"x"}', 404, "SNAPSHOT_NOT_FOUND"),
        ("/MDS", 'cmd=snapshot&parm={"what":"burst"}', 501, "NO_COUNTERPART"),
        ("/MDS", 'cmd=script&parm={"what":"load","name":""}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=script&parm={"what":"newInstance"}', 501, "NO_COUNTERPART"),
        ("/MDS", 'cmd=log&parm={"what":"search","type":"x"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=log&parm={"what":"search","start":"now"}', 400, "INVALID_FIELD"),
        ("/MDS", 'cmd=log&parm={"what":"search","start":99999999999999999}', 400, "INVALID_FIELD"),
        ("/CU", f"dev={UNITS[0]}&cmd=channel", 400, "INVALID_FIELD"),
        ("/CU", f"dev={UNITS[0]}&cmd=channel&parm=7", 400, "INVALID_FIELD"),
        ("/CU", f"dev={UNITS[0]}&cmd=channel&parm=0", 501, "NO_COUNTERPART"),
        ("/CU", f"dev={UNITS[0]}&cmd=queryhst&parm={{}}", 501, "NO_COUNTERPART"),
        ("/CU", f"dev={UNITS[0]}&cmd=sett&parm={{}}", 501, "NO_COUNTERPART"),
        ("/CU", f"dev={UNITS[0]}&cmd=readin", 400, "INVALID_FIELD"),
        ("/CU", "dev=x&cmd=status", 404, "CONTROL_UNIT_NOT_FOUND"),
        ("/CU", "dev=a%20b&cmd=status", 400, "INVALID_ID"),
        ("/CU", f"dev={UNITS[0]},a%22b&cmd=status", 400, "INVALID_ID"),
        ("/CU", "dev=%FF&cmd=status", 400, "INVALID_FIELD"),
        ("/CU", b"dev=\xff&cmd=status", 400, "INVALID_FIELD"),
        ("/CU", "dev=" + ",".join(map(str, range(1001))) + "&cmd=status", 400, "INVALID_FIELD"),
    ],
)
async def test_what_is_wrong_is_told_with_its_own_status(
    reader: Dashboard, path: str, data: Any, status: int, reason: str
) -> None:
    told = await reader.send("POST", path, data)
    assert (told.status, told.reason) == (status, reason), told.json["error_status"]
    assert told_well(told)


async def test_a_huge_body_is_refused(reader: Dashboard) -> None:
    told = await reader.send("POST", "/MDS", io.BytesIO(b"x" * 7_000_000))
    assert (told.status, told.reason, told_well(told)) == (413, "MESSAGE_TOO_LARGE", True)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_form_is_no_larger_than_can_be_read_in_a_moment(
    reader: Dashboard, encoding: str
) -> None:
    for size in (LARGEST_FORM_BYTES, LARGEST_FORM_BYTES + 1):
        text = b'cmd=search&parm={"alive":false}'.ljust(size, b" ")
        data = gzip.compress(text) if encoding == "gzip" else text
        told = await reader.send("POST", "/MDS", io.BytesIO(data), Content_Encoding=encoding)
        if size == LARGEST_FORM_BYTES:
            assert (told.status, told.json) == (200, sorted([*UNITS, OTHER]))
        else:
            found = (told.status, told.reason, told_well(told))
            assert found == (413, "MESSAGE_TOO_LARGE", True)
            assert "256 kB" in told.json["error_status"]


async def test_what_is_refused_before_it_is_known_what_it_is_is_counted_all_the_same(
    reader: Dashboard, session: aiohttp.ClientSession
) -> None:
    async def refused(method: str, reason: str) -> float:
        async with session.get(f"{reader.base}/metrics") as answer:
            text = await answer.text()
        labels = f'face="chaos",method="{method}",reason="{reason}"'
        found = re.search(rf"mds_refused_total{{{labels}}} (\S+)", text)
        return float(found[1]) if found else 0.0

    expected = (("chaos", "INVALID_FIELD"), ("chaos.MDS.snapshot.load", "SNAPSHOT_NOT_FOUND"))
    before = [await refused(*each) for each in expected]
    assert (await reader.send("POST", "/MDS", "cmd=serach")).status == 400
    assert (await reader.mds("snapshot", what="load", name="gone")).status == 404
    assert [await refused(*each) for each in expected] == [each + 1 for each in before]


CHANGES = (
    ("/CU", f"dev={UNITS[0]}&cmd=start", ""),
    ("/CU", f"dev={UNITS[0]}&cmd=load", ""),
    ("/CU", f"dev={UNITS[0]}&cmd=attr", {"current": 5}),
    ("/CU", f"dev={UNITS[0]}&cmd=delete", "golden"),
    ("/MDS", "cmd=variable", {"what": "set", "name": "x", "value": {}}),
    ("/MDS", "cmd=variable", {"what": "del", "name": "highcharts"}),
    ("/MDS", "cmd=node", {"what": "del", "type": "cu", "name": UNITS[0], "parent": "x"}),
    ("/MDS", "cmd=snapshot", {"what": "delete", "name": "golden"}),
    ("/MDS", "cmd=script", {"what": "del", "value": {"script_name": "ramp.js"}}),
)


@pytest.mark.parametrize(("path", "query", "parm"), CHANGES)
async def test_nothing_is_changed_by_get_or_where_only_reading_is_allowed(
    reader: Dashboard, page: Dashboard, path: str, query: str, parm: Any
) -> None:
    text = parm if isinstance(parm, str) else json.dumps(parm)
    full = f"{query}&parm={quote(text)}" if text else query
    for face in (reader, page):
        for verb in ("GET", "HEAD"):
            told = await face.send(verb, f"{path}?{full}")
            assert (told.status, told.headers["Allow"]) == (405, "POST")
    refused = await reader.send("POST", path, full)
    assert (refused.status, refused.reason) == (403, "FACADE_READ_ONLY")
    assert "MDS_CHAOS_FACADE=write" in refused.json["error_status"]
    assert told_well(refused)


async def test_other_verbs_and_media_types_are_refused(page: Dashboard) -> None:
    for verb in ("PUT", "DELETE", "PATCH"):
        told = await page.send(verb, "/MDS", "cmd=search")
        assert (told.status, told.reason) == (405, "VERB_NOT_ALLOWED")
        assert "POST" in told.headers["Allow"]
    assert (await page.send("OPTIONS", "/CU")).status == 204
    told = await page.send("POST", "/MDS", "{}", Content_Type="application/json")
    assert (told.status, told.reason) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_page_of_elsewhere_changes_nothing(page: Dashboard) -> None:
    text = 'cmd=variable&parm={"what":"set","name":"evil","value":{}}'
    told = await page.send("POST", "/MDS", text, Origin="https://elsewhere.example.org")
    assert (told.status, told.reason) == (403, "ORIGIN_NOT_ALLOWED")
    assert (await page.mds("search", what="variable", name="evil")).json == []


async def test_what_cannot_be_kept_is_refused_before_anything_is_written(page: Dashboard) -> None:
    told = await page.send("POST", "/MDS", f"cmd=variable&parm={HALF}")
    assert (told.status, told.reason) == (400, "INVALID_FIELD")
    told = await page.mds("variable", what="set", name="x")
    assert (told.status, told.reason) == (400, "INVALID_FIELD")
    wrong: tuple[Any, ...] = ({}, {"properties": "x"}, {"properties": [1]}, [], "no json")
    for value in wrong:
        told = await page.mds("node", what="set", type="cu", name=UNITS[0], value=value)
        assert told.status in {400, 501}
        assert told_well(told)
    other = [{"cudk_bypass_state": True}]
    told = await page.mds("node", what="set", type="cu", name=UNITS[0], value={"properties": other})
    assert (told.status, told.reason) == (501, "NO_COUNTERPART")
    for parm in ("", "{}", "[]", '{"curent":1}', '{"current":1000}'):
        told = await page.cu(UNITS[0], "attr", parm)
        assert (told.status, told_well(told)) == (400, True), (parm, told.json)
    told = await page.cu(f"{UNITS[0]},LAB/GONE", "attr", {"current": 1})
    assert (told.status, told.reason) == (404, "CONTROL_UNIT_NOT_FOUND")
    for parm in ("", "fast", "-1", "1.5", "true"):
        assert (await page.cu(UNITS[0], "sched", parm)).status == 400, parm
    wrong = ({"script_name": "a", "eudk_script_content": "///"}, {"seq": 1})
    for value in wrong:
        assert (await page.mds("script", what="save", value=value)).status == 400
    wrong = ({}, {"input": {}}, {"input": {"ndk_uid": 5}})
    for value in wrong:
        assert (await page.mds("snapshot", what="set", name="x", value=value)).status == 400
    assert (await page.mds("snapshot", what="create", name="x")).status == 400
