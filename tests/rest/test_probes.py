"""Who looks whether a replica is well is answered also while it has all the connections that it may:
else what is only crowded would be taken for dead, and restarted."""

import asyncio
import contextlib

import pytest

from metadata_server.api.rest.serving import SPARE
from tests.conftest import StartReplica
from tests.rest.test_hostile_clients import connected, heard, lives, status_of
from tests.stages.replica import Replica
from tests.stages.waiting import until

CONNECTIONS = 6
IDLE = [b""] * CONNECTIONS
PROBE = b"GET /healthz/%s HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
async def narrow(start_replica: StartReplica, sqlite_database: str) -> Replica:
    limits = {"MDS_HTTP_CONNECTIONS": str(CONNECTIONS), "MDS_HTTP_IDLE_S": "60"}
    return await start_replica(sqlite_database, environment=limits)


async def answer_of(replica: Replica, *pieces: bytes) -> tuple[bytes, bytes]:
    """Status and all that is answered, until the connection is closed by the replica."""
    async with connected(replica, pieces[0]) as (streams,):
        for piece in pieces[1:]:
            await asyncio.sleep(0.1)
            streams[1].write(piece)
        answer, _ = await heard(streams)
    return answer.partition(b" ")[2][:3], answer


async def test_probes_are_answered_beyond_the_limit_and_nothing_else_is(narrow: Replica) -> None:
    async with connected(narrow, *IDLE):
        for what in (b"live", b"ready"):
            status, answer = await answer_of(narrow, PROBE % what)
            assert status == b"200", answer
            assert b"Connection: close" in answer
        assert (await answer_of(narrow, PROBE % b"nothing"))[0] == b"404"
        assert (await answer_of(narrow, b"GET /hea", PROBE[8:] % b"live"))[0] == b"200"
        for other in (b"GET /v1/policies HTTP/1.1\r\nHost: localhost\r\n\r\n", b"", b"GET /hea"):
            status, answer = await answer_of(narrow, other)
            assert (status, b"MDS_HTTP_CONNECTIONS" in answer) == (b"429", True), other


async def test_what_follows_a_probe_beyond_the_limit_is_not_answered(narrow: Replica) -> None:
    more = b"GET /v1/policies HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with connected(narrow, *IDLE):
        _, answer = await answer_of(narrow, (PROBE % b"live") + more)
    assert answer.count(b"HTTP/1.1") == 1


async def test_who_begins_a_probe_and_never_ends_it_gives_its_place_back(narrow: Replica) -> None:
    async with connected(narrow, *IDLE):
        async with connected(narrow, *[b"GET /healthz/li"] * SPARE) as slow:
            assert await status_of(narrow, PROBE % b"live") == b"429"
            ended = await asyncio.gather(*map(heard, slow))
            assert max(seconds for _, seconds in ended) < 20
        assert await status_of(narrow, PROBE % b"live") == b"200"


async def test_places_for_probes_are_bounded_and_come_back(narrow: Replica) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(connected(narrow, *IDLE))
        await stack.enter_async_context(connected(narrow, *[b""] * SPARE))
        assert await status_of(narrow, PROBE % b"live") == b"429"
        await until(lambda: lives(narrow), what="a place for a probe")
