"""Answers of many messages: lines of JSON, server-sent events; bundles line by line."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from tests.conftest import StartReplica
from tests.rest.conftest import Http
from tests.stages.waiting import until

NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"


@dataclass
class Event:
    """One server-sent event."""

    id: str = ""
    name: str = ""
    data: Any = None


class Events:
    """Reads server-sent events, as a browser does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def __aiter__(self) -> AsyncIterator[Event]:
        event = Event()
        async for raw in self.response.content:
            name, _, value = raw.decode().rstrip("\n").partition(": ")
            match name:
                case "id":
                    event.id = value
                case "event":
                    event.name = value
                case "data":
                    event.data = json.loads(value)
                case "" if event.data is not None:
                    yield event
                    event = Event()

    async def next(self, name: str) -> Event:
        async with asyncio.timeout(20):
            async for event in self:
                if event.name == name:
                    return event
        raise AssertionError("the stream has ended")


@asynccontextmanager
async def watching(
    session: aiohttp.ClientSession, base: str, query: str = "", **headers: str
) -> AsyncIterator[Events]:
    url = URL(f"{base}/v1/watch?{query}", encoded=True)
    named = {"Accept": EVENTS} | {key.replace("_", "-"): each for key, each in headers.items()}
    async with session.get(url, headers=named) as response:
        assert response.status == 200
        assert response.headers["X-Accel-Buffering"] == "no"
        yield Events(response)


async def test_changes_come_as_events_with_a_position_each(http: Http) -> None:
    async with watching(http.session, http.base, "kinds=VARIABLE&idPrefix=sse/") as events:
        begun = await events.next("bookmark")
        await http.variable("other")
        await http.variable("sse/A", "7")
        told = await events.next("changes")
    (event,) = told.data["events"]
    assert (event["name"], event["variable"]["value"]) == ("variables/sse/A", "7")
    position = told.data["position"]
    assert told.id == f"{position['storeId']}/{position['epoch']}/{position['revision']}"
    for how in (f"lastEventId={begun.id}", f"position={begun.id}"):
        async with watching(http.session, http.base, f"idPrefix=sse/&{how}") as events:
            assert (await events.next("changes")).data["events"] == [event]


async def test_a_watch_is_also_lines_of_json(http: Http) -> None:
    async with http.session.get(f"{http.base}/v1/watch?idPrefix=lines/") as response:
        assert response.content_type == NDJSON
        assert "position" in json.loads(await response.content.readline())
        await http.variable("lines/A")
        while not (told := json.loads(await response.content.readline())).get("events"):
            pass
    assert told["events"][0]["name"] == "variables/lines/A"


async def test_the_pulse_beats(http: Http) -> None:
    async with http.session.get(f"{http.base}/v1/pulse", headers={"Accept": EVENTS}) as response:
        beat = await Events(response).next("message")
    assert "time" in beat.data


async def test_a_watch_that_cannot_begin_has_a_status(http: Http) -> None:
    elsewhere = await http("GET", "/v1/watch", Accept=EVENTS, Last_Event_ID="another/1/5")
    assert (elsewhere.status, elsewhere.reason) == (410, "HISTORY_RESET")
    wrong = await http("GET", "/v1/watch", Accept=EVENTS, Last_Event_ID="nonsense")
    assert (wrong.status, wrong.reason) == (400, "INVALID_FIELD")


async def test_readers_that_leave_are_forgotten(http: Http) -> None:
    async def followers() -> int:
        figures = (await http("GET", "/metrics")).body.decode()
        (line,) = (each for each in figures.splitlines() if each.startswith("mds_followers "))
        return int(float(line.split()[1]))

    before = await followers()
    async with watching(http.session, http.base) as events:
        await events.next("bookmark")
        assert await followers() == before + 1

    async def nobody() -> bool:
        return await followers() == before

    await until(nobody, what="the reader to be forgotten")


async def test_a_bundle_is_applied_line_by_line(http: Http) -> None:
    async def lines() -> AsyncIterator[bytes]:
        yield b'{"header": {"reason": "all at once"}}\n\n{"items": [{"sour'
        yield b'ce": "a.yaml:3", "variable": {"name": "variables/bundle/A", "value": "1"}}]}\n'
        yield b'{"end": true}'

    answer = await http("POST", "/v1/bundles:apply", data=lines(), Content_Type=NDJSON)
    told = [json.loads(line) for line in answer.body.splitlines()]
    assert told[-1]["summary"]["applied"] is True
    assert next(each for each in told if "results" in each)["results"][0]["source"] == "a.yaml:3"
    exported = await http("GET", "/v1/export?idPrefix=bundle/")
    (part,) = map(json.loads, exported.body.splitlines())
    assert [each["variable"]["name"] for each in part["items"]] == ["variables/bundle/A"]


async def test_what_is_wrong_with_a_line_is_told_with_its_number(http: Http) -> None:
    for line, reason in ((b'{"itmes": []}', "INVALID_FIELD"), (b"{", "INVALID_JSON")):
        data = b'{"header": {}}\n' + line + b'\n{"end": true}'
        answer = await http("POST", "/v1/bundles:apply", data=data, Content_Type=NDJSON)
        last = json.loads(answer.body.splitlines()[-1])["error"]
        assert last["details"][0]["reason"] == reason
        assert last["message"].startswith("Line 2 of the body: ")
    broken_off = await http("POST", "/v1/bundles:apply", data=b"{}", Content_Type=NDJSON)
    assert "INVALID_BUNDLE" in broken_off.body.decode()


async def test_a_reader_goes_on_at_another_replica_after_a_kill(
    start_replica: StartReplica, database: str
) -> None:
    one, two = await start_replica(database), await start_replica(database)
    async with aiohttp.ClientSession() as session:
        writer = Http(session, two.http)
        seen: list[str] = []
        last = ""
        async with watching(session, one.http, "kinds=VARIABLE") as events:
            last = (await events.next("bookmark")).id
            for number in range(5):
                await writer.variable(f"V{number}")
            while len(seen) < 2:
                told = await events.next("changes")
                last, seen = told.id, seen + names(told)
            one.kill()
        for number in range(5, 10):
            await writer.variable(f"V{number}")
        async with watching(session, two.http, "kinds=VARIABLE", Last_Event_ID=last) as events:
            while len(seen) < 10:
                seen += names(await events.next("changes"))
    assert seen == [f"variables/V{number}" for number in range(10)]


def names(told: Event) -> list[str]:
    return [event["name"] for event in told.data["events"]]


async def test_a_replica_that_stops_tells_its_readers(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    async with aiohttp.ClientSession() as session:
        async with watching(session, replica.http) as events, asyncio.TaskGroup() as tasks:
            await events.next("bookmark")
            ending = tasks.create_task(replica.terminate())
            told = await events.next("error")
            assert told.data["error"]["details"][0]["reason"] == "DRAINING"
            assert told.data["error"]["code"] == 503
        assert ending.result() == 0


async def test_who_why_and_how_of_a_bundle_may_stand_beside_it(http: Http) -> None:
    line = json.dumps({"items": [{"variable": {"name": "variables/beside", "value": "1"}}]})
    data = f'{line}\n{{"end": true}}'.encode()

    async def apply(query: str, **headers: str) -> Any:
        path = f"/v1/bundles:apply?{query}"
        answer = await http("POST", path, data=data, Content_Type=NDJSON, **headers)
        return json.loads(answer.body.splitlines()[-1])

    assert "applied" not in (await apply("dryRun=1"))["summary"]
    first = await apply("reason=beside", Idempotency_Key="bundle-1")
    again = await apply("reason=beside", Idempotency_Key="bundle-1")
    assert first["summary"]["applied"] is True
    assert first["summary"]["position"] == again["summary"]["position"]
    made = await http("GET", "/v1/changes?name=variables/beside")
    assert [each["changeSet"]["reason"] for each in made.json["changes"]] == ["beside"]
    unknown = await http("POST", "/v1/bundles:apply?nonsense=1", data=data, Content_Type=NDJSON)
    assert (unknown.status, unknown.reason) == (400, "INVALID_FIELD")
