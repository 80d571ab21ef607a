"""Changes as they happen, whichever server tells them."""

import asyncio

import grpc
import pytest
from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.variable_pb2 import Variable
from mds.v1.watch_pb2 import Event, WatchResponse

from control_units.client import Client, HistoryGone, Invalid
from tests.client.scripted_server import ScriptedServer, end_without_a_status, hang, refuse
from tests.stages.replica import Replica
from tests.stages.waiting import until

DEADLINE_S = 20


def at(revision: int) -> Position:
    return Position(store_id="store", epoch=1, revision=revision)


async def test_they_go_on_where_a_server_ended(client: Client, server: Replica) -> None:
    names = []
    async with client.changes(Kind.KIND_VARIABLE) as changes, asyncio.timeout(DEADLINE_S):
        await anext(changes)
        for id in "AB":
            await client.variables.create(Variable(name=f"variables/{id}", value="1"))
            await server.restart()
            async for word in changes:
                names += [event.name for event in word.events]
                if word.events:
                    break
    assert names == ["variables/A", "variables/B"]


async def test_they_go_on_where_a_load_balancer_ended_the_stream() -> None:
    """Whose checks found the server dead: it ends the stream without a status."""
    words = [WatchResponse(events=[Event(name="variables/A", revision=8)], position=at(8))]
    async with ScriptedServer([end_without_a_status, hang], words) as server:
        async with (
            Client(server.address) as client,
            client.changes(after=at(7)) as changes,
            asyncio.timeout(DEADLINE_S),
        ):
            told = [await anext(changes), await anext(changes)]
            await until(lambda: len(server.calls) == 2)
        assert [each.position.revision for each in told] == [8, 8]
        assert server.calls[-1].request.position == at(8)


async def test_a_reader_that_gave_up_waiting_misses_nothing(client: Client) -> None:
    async with client.changes(Kind.KIND_VARIABLE) as changes:
        await anext(changes)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(changes)
        await client.variables.create(Variable(name="variables/A", value="1"))
        async with asyncio.timeout(DEADLINE_S):
            async for word in changes:
                if word.events:
                    break
    assert [event.name for event in word.events] == ["variables/A"]


async def test_parts_of_a_large_revision_are_told_as_one() -> None:
    parts = [
        WatchResponse(events=[Event(name="variables/A", revision=8)], position=at(7)),
        WatchResponse(position=at(7)),  # a bookmark of what was told before
        WatchResponse(events=[Event(name="variables/B", revision=8)], position=at(7)),
        WatchResponse(events=[Event(name="variables/C", revision=8)], position=at(8)),
    ]
    gone = refuse(grpc.StatusCode.OUT_OF_RANGE, "HISTORY_TRIMMED")
    async with ScriptedServer([gone], parts) as server, Client(server.address) as client:
        changes = client.changes(after=at(7))
        word = await anext(changes)
        assert [event.name for event in word.events] == [f"variables/{id}" for id in "ABC"]
        assert changes.position == at(8)
        with pytest.raises(HistoryGone):
            await anext(changes)


async def test_what_was_told_in_part_is_told_again_from_the_last_position() -> None:
    parts = [
        WatchResponse(
            events=[Event(name="variables/Z", revision=7), Event(name="variables/A", revision=8)],
            position=at(7),
        )
    ]
    ends = refuse(grpc.StatusCode.UNAVAILABLE, "DRAINING")
    gone = refuse(grpc.StatusCode.OUT_OF_RANGE, "HISTORY_TRIMMED")
    async with ScriptedServer([ends, gone], parts) as server, Client(server.address) as client:
        with pytest.raises(HistoryGone):
            await anext(client.changes(after=at(6)))
    assert [call.request.position for call in server.calls] == [at(6), at(6)]


async def test_what_cannot_be_watched_is_refused(client: Client) -> None:
    with pytest.raises(Invalid):
        await anext(client.changes(Kind.KIND_VARIABLE, filter="colour=red"))
    with pytest.raises(HistoryGone):
        await anext(client.changes(after=at(1)))
