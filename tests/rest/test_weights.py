"""A body weighs what it may turn out to be, on either face of the HTTP port, and no more than that."""

import asyncio
import gzip
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from mds.v1.script_pb2 import Script
from mds.v1.variable_pb2 import CreateVariableRequest, Variable

from control_units.client import Client, Refused
from tests.conftest import StartReplica
from tests.rest.conftest import Http
from tests.rest.test_hostile_clients import connected
from tests.stages.replica import Replica
from tests.stages.waiting import until

MB = 2**20
LEAST = {"MDS_REQUEST_MB": "16"}
"""A client may have half of it."""
NEVER = "minRevision=999999999"
PACKED = gzip.compress(b'{"name":"variables/packed","value":"1"}')
FORM = gzip.compress(b"cmd=search&parm={}")
FORMS = 8 * MB // (256 * 1024)


@pytest.fixture
async def slight(start_replica: StartReplica, sqlite_database: str) -> Replica:
    """A replica that takes few bytes."""
    return await start_replica(sqlite_database, environment=LEAST)


@pytest.fixture
async def http(slight: Replica, session: aiohttp.ClientSession) -> Http:
    return Http(session, slight.http)


def head(target: str, length: int, *, kind: str = "application/json", encoding: str = "") -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {length}"]
    lines += [f"Content-Encoding: {encoding}"] if encoding else []
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def held_open(replica: Replica, *requests: bytes) -> AsyncIterator[None]:
    """Requests whose last byte does not come."""
    async with connected(replica, *(each[:-1] for each in requests)):
        yield


async def create(http: Http, id: str) -> int:
    return (await http("POST", "/v1/variables", {"name": f"variables/{id}", "value": "1"})).status


async def test_a_body_that_says_it_is_huge_is_refused_at_once_and_takes_nothing_from_others(
    slight: Replica, http: Http
) -> None:
    huge = head(f"/v1/variables?{NEVER}", 10**12) + b"{"
    async with connected(slight, huge) as ((reader, _),):
        async with asyncio.timeout(3):  # before that, it waits 5 s for its revision
            answer = await reader.readuntil(b"MESSAGE_TOO_LARGE")
    assert answer.startswith(b"HTTP/1.1 413 ")
    async with connected(slight, *[huge] * 5):
        assert await create(http, "beside") == 201
        async with Client(slight.address, timeout=5) as client:
            variable = Variable(name="variables/too", value="1")
            await client.variables.CreateVariable(CreateVariableRequest(variable=variable))


async def test_a_packed_body_weighs_as_much_as_one_may(slight: Replica, http: Http) -> None:
    packed = head("/v1/variables", len(PACKED), encoding="gzip") + PACKED

    async def another_is_refused() -> bool:
        answer = await http(
            "POST", "/v1/variables?dryRun=1", data=PACKED,
            Content_Type="application/json", Content_Encoding="gzip",
        )  # fmt: skip
        return answer.status == 429 and "MDS_REQUEST_MB" in answer.message

    async with held_open(slight, packed):
        await until(another_is_refused, within=10, what="a second packed body that is too much")
        assert await create(http, "small") == 201
    await until(lambda: taken(http), within=10, what="room for a packed body")


async def taken(http: Http) -> bool:
    headers = {"Content_Type": "application/json", "Content_Encoding": "gzip"}
    answer = await http("POST", "/v1/variables?dryRun=1", data=PACKED, **headers)
    return answer.status == 200


async def test_a_body_without_a_length_weighs_as_much_as_one_may(
    slight: Replica, http: Http
) -> None:
    chunked = head("/v1/variables", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")

    async def sent() -> AsyncIterator[bytes]:
        yield b'{"name":"variables/chunked","value":"1"}'

    async def another_is_refused() -> bool:
        path, kind = "/v1/variables?dryRun=1", "application/json"
        return (await http("POST", path, data=sent(), Content_Type=kind)).status == 429

    async with connected(slight, chunked + b"1\r\n{\r\n"):
        await until(another_is_refused, within=10, what="a second body that is too much")


async def test_what_clients_of_chaos_send_is_counted_too(slight: Replica, http: Http) -> None:
    kind = "application/x-www-form-urlencoded"
    packed = head("/MDS", len(FORM), kind=kind, encoding="gzip") + FORM

    async def another_is_refused() -> bool:
        answer = await http("POST", "/MDS", data=FORM, Content_Type=kind, Content_Encoding="gzip")
        return answer.status == 429 and "MDS_REQUEST_MB" in answer.message

    async with held_open(slight, *[packed] * FORMS):
        await until(another_is_refused, within=10, what="one form that is too much")


def large(count: int) -> list[Script]:
    """As many scripts of a megabyte."""
    return [Script(name=f"scripts/{number}", content="x" * MB) for number in range(count)]


async def test_a_bundle_that_is_more_than_a_client_may_have_is_refused_for_good(
    slight: Replica,
) -> None:
    async with Client(slight.address, timeout=20) as client:
        began = time.monotonic()
        with pytest.raises(Refused, match="MDS_REQUEST_MB") as refused:
            await client.apply(large(12), reason="too much")
        assert (refused.value.reason, refused.value.is_transient) == ("MESSAGE_TOO_LARGE", False)
        assert "8 MB" in refused.value.message
        assert time.monotonic() - began < 10
        assert [each async for each in client.scripts.list()] == []
        await client.apply(large(6), reason="in parts")


async def test_a_line_of_json_after_another_is_refused_for_good_likewise(http: Http) -> None:
    line = b'{"items": [{"script": {"name": "scripts/%d", "content": "' + b"x" * MB + b'"}}]}\n'
    body = b"".join(line.replace(b"%d", b"%d" % number) for number in range(12))
    answer = await http(
        "POST", "/v1/bundles:apply", data=io.BytesIO(body), Content_Type="application/x-ndjson"
    )
    assert b"MESSAGE_TOO_LARGE" in answer.body
    assert b"MDS_REQUEST_MB" in answer.body


async def test_a_line_that_does_not_end_is_counted_as_it_comes(slight: Replica, http: Http) -> None:
    kind, long = "application/x-ndjson", b" " * (5 * MB)
    line = head("/v1/bundles:apply", 6 * MB, kind=kind) + long

    async def another_is_refused() -> bool:
        answer = await http("POST", "/v1/bundles:apply", data=io.BytesIO(long), Content_Type=kind)
        return b"MDS_REQUEST_MB" in answer.body

    async with connected(slight, line):
        await until(another_is_refused, within=20, what="a second line that is too much")
