"""Watches, overviews and pulses of real replicas, over the wire."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from mds.v1 import kind_pb2, overview_pb2, position_pb2, variable_pb2, view_pb2, watch_pb2

from control_units.client import Client, Refused
from tests.stages.replica import Replica
from tests.stages.waiting import until

StartReplica = Callable[..., Awaitable[Replica]]
DEADLINE_S = 20


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as client:
        yield client


async def create(client: Client, id: str, value: str = "1") -> variable_pb2.Variable:
    variable = variable_pb2.Variable(name=f"variables/{id}", value=value)
    request = variable_pb2.CreateVariableRequest(variable=variable, reason=f"to have {id}")
    return await client.variables.CreateVariable(request)


async def delete(client: Client, id: str) -> None:
    request = variable_pb2.DeleteVariableRequest(name=f"variables/{id}", etag="*")
    await client.variables.DeleteVariable(request)


@asynccontextmanager
async def watch(client: Client, **wanted: Any) -> AsyncIterator[Any]:
    stream = client.watch.Watch(watch_pb2.WatchRequest(**wanted))
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield stream
    finally:
        stream.cancel()


async def events(stream: Any, count: int) -> tuple[list[watch_pb2.Event], position_pb2.Position]:
    """The next events, and the position after them."""
    found: list[watch_pb2.Event] = []
    async for response in stream:
        found += response.events
        if len(found) >= count:
            return found, response.position
    raise AssertionError(f"The stream ended after {len(found)} of {count} events.")


async def test_changes_are_told_as_they_happen(client: Client) -> None:
    async with watch(client) as stream:
        first = await anext(aiter(stream))
        assert not first.events, "a bookmark says where the watch begins"
        created = await create(client, "DAFNE/A")
        await delete(client, "DAFNE/A")
        told, position = await events(stream, 2)
    assert [event.action for event in told] == [
        watch_pb2.EVENT_ACTION_CREATED,
        watch_pb2.EVENT_ACTION_DELETED,
    ]
    assert told[0].variable == created
    assert told[0].reason == "to have DAFNE/A"
    assert [event.name for event in told] == ["variables/DAFNE/A"] * 2
    assert position.revision == told[-1].revision


async def test_a_watch_goes_on_at_another_replica(
    start_replica: StartReplica, database: str
) -> None:
    one, two = await start_replica(database), await start_replica(database)
    async with Client(one.address) as first, Client(two.address) as second:
        async with watch(first) as stream:
            await anext(aiter(stream))
            await create(second, "A")
            told, position = await events(stream, 1)
            assert told[0].name == "variables/A"
        await create(second, "B")
        one.kill()
        await create(second, "C")
        async with watch(second, position=position) as stream:
            told, _ = await events(stream, 2)
    assert [event.name for event in told] == ["variables/B", "variables/C"]


async def test_filters_and_the_basic_view(client: Client) -> None:
    wanted = {"kinds": [kind_pb2.KIND_VARIABLE], "id_prefix": "DAFNE/"}
    async with watch(client, view=view_pb2.VIEW_BASIC, **wanted) as stream:
        await anext(aiter(stream))
        for id in ("BTF/A", "DAFNE/A", "DAFNE2/A", "DAFNE/B"):
            await create(client, id)
        told, _ = await events(stream, 2)
    assert [event.name for event in told] == ["variables/DAFNE/A", "variables/DAFNE/B"]
    assert not told[0].HasField("variable")


async def refusal(client: Client, **wanted: Any) -> str:
    """Why a watch ended."""
    async with watch(client, **wanted) as stream:
        with pytest.raises(Refused) as refused:
            async for _ in stream:
                pass
    return refused.value.reason


async def test_what_cannot_be_watched_is_refused(client: Client) -> None:
    position = position_pb2.Position(store_id="another", epoch=1, revision=1)
    assert await refusal(client, position=position) == "HISTORY_RESET"
    assert await refusal(client, kinds=[7777]) == "INVALID_FIELD"
    assert await refusal(client, position=position_pb2.Position(revision=-1)) == "INVALID_FIELD"


async def test_a_replica_that_stops_sends_its_watchers_elsewhere(
    client: Client, replica: Replica
) -> None:
    async with watch(client) as stream, asyncio.TaskGroup() as tasks:
        await anext(aiter(stream))
        ending = tasks.create_task(replica.terminate())
        with pytest.raises(Refused, match="DRAINING"):
            async for _ in stream:
                pass
    assert ending.result() == 0


async def test_streams_end_when_they_are_old(start_replica: StartReplica, database: str) -> None:
    replica = await start_replica(database, environment={"MDS_STREAM_AGE_S": "0.5"})
    async with Client(replica.address) as client:
        assert await refusal(client) == "DRAINING"


async def figures(replica: Replica) -> dict[str, float]:
    async with aiohttp.ClientSession() as http, http.get(f"{replica.http}/metrics") as response:
        lines = (await response.text()).splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(figure) for name, figure in pairs}


async def test_the_figures_tell_of_watchers(client: Client, replica: Replica) -> None:
    async with watch(client) as stream:
        await anext(aiter(stream))
        during = await figures(replica)
    assert during["mds_tailer_lag_seconds"] < DEADLINE_S

    async def has_left() -> bool:
        return (await figures(replica))["mds_followers"] == during["mds_followers"] - 1

    await until(has_left, what="one follower fewer")


async def test_the_overview_says_who_answers_and_as_of_when(
    client: Client, replica: Replica
) -> None:
    await create(client, "A")
    seen = await client.overview.GetOverview(overview_pb2.GetOverviewRequest())
    assert seen.position.revision == 1
    assert seen.replica
    assert seen.version
    assert (seen.control_units, seen.unit_servers, seen.abnormal_total) == (0, 0, 0)
    with pytest.raises(Refused, match="INVALID_FIELD"):
        await client.overview.GetOverview(overview_pb2.GetOverviewRequest(abnormal_limit=-1))


async def test_the_pulse_beats_once_a_second_and_ends_with_the_replica(
    client: Client, replica: Replica
) -> None:
    stream = client.overview.Pulse(overview_pb2.PulseRequest())
    times = []
    async with asyncio.timeout(DEADLINE_S):
        async for pulse in stream:
            times.append(pulse.time.ToMicroseconds() / 1e6)
            if len(times) == 4:
                break
        assert 1 < times[3] - times[1] < 5, "two beats, on a machine that may be busy"
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(replica.terminate())
            with pytest.raises(Refused, match="DRAINING"):
                async for _ in stream:
                    pass
    stream.cancel()
    assert ending.result() == 0
