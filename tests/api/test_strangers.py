"""Calls with tokens that a replica does not remember, while nobody looks into its database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from operator import pos
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from metadata_server.api.access import TokenGate
from metadata_server.api.calls import REST, CallFigures, Calls
from metadata_server.api.door import Door
from metadata_server.api.rest.context import RestContext, refuse
from metadata_server.domain.access.role import Role
from metadata_server.domain.access.token import Token, hash_of, text_of
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.client_limits import ClientLimits
from metadata_server.services.access.keyring import Keyring
from metadata_server.services.access.tokens import Tokens
from metadata_server.services.admission import Admission
from metadata_server.services.watching.reaching import Reaching
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until

MB = 2**20
MOST, MOST_BYTES = 3, 4 * MB
LIMITS = ClientLimits(strangers=MOST, request_bytes=8 * MOST_BYTES)
CALLER = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
KNOWN, NEW = (text_of(letter * 12, "1" * 64) for letter in "ab")


async def answered(_: Any, __: Any) -> str:
    return "answered"


async def two_words(_: Any, __: Any) -> AsyncIterator[str]:
    yield "one"
    yield "two"


async def create(store: Store, text: str) -> None:
    wanted = Token(id=text[4:16], hash=hash_of(text), principal="anna", role=Role.VIEWER)
    await Tokens(store).create(CALLER, wanted, validate_only=False)


@dataclass
class Calling:
    """What is sent is only as large as it says: a number of bytes."""

    calls: Calls
    tailer: Tailer
    lasts: bool = False

    async def __call__(self, text: str, size: int = 0) -> RestContext:
        context = RestContext({"authorization": f"Bearer {text}"}, peer="127.0.0.1")
        if self.lasts:
            async for _ in self.calls.streaming("Watch.Watch", two_words, pos)(size, context):
                pass
        else:
            await self.calls.unary("Templates.GetTemplate", answered, pos)(size, context)
        return context


@pytest.fixture(params=[False, True], ids=["a call", "a stream"])
async def calling(request: pytest.FixtureRequest, sqlite_database: str) -> AsyncIterator[Calling]:
    """Of a replica that remembers one token of the two that there are."""
    with opened_store(sqlite_database) as store:
        await create(store, KNOWN)
        keyring = Keyring(store, tailer := Tailer(store))
        admission = Admission(LIMITS)
        door = Door(TokenGate(keyring, admission), admission)
        figures = CallFigures(CollectorRegistry())
        reading = asyncio.create_task(keyring.run())
        await until(lambda: keyring.remembers(KNOWN), within=5, what="the first token")
        reading.cancel()
        await create(store, NEW)
        calls = Calls(figures, Reaching(store), door, face=REST, refuse=refuse)
        yield Calling(calls, tailer, request.param)


async def told_at_once(tasks: list[asyncio.Task[RestContext]], number: int) -> list[RestContext]:
    await until(lambda: sum(task.done() for task in tasks) >= number, within=5, what="refusals")
    return [task.result() for task in tasks if task.done()]


async def test_so_many_wait_to_be_known_and_the_rest_comes_again(calling: Calling) -> None:
    tasks = [asyncio.create_task(calling(NEW)) for _ in range(MOST + 2)]
    for context in await told_at_once(tasks, 2):
        assert context.refused is not None
        assert context.refused.reason == "TOO_BUSY"
        assert "MDS_WAITING" in context.refused.message
        assert context.refused.retry_after_ms
    assert (await calling(KNOWN)).refused is None, "strangers take nothing from those who are known"
    looking = asyncio.create_task(calling.tailer.run())
    ended = await asyncio.gather(*tasks)
    assert [context.refused for context in ended].count(None) == MOST
    assert (await calling(NEW)).refused is None
    looking.cancel()
    await asyncio.wait({looking})


async def test_what_waits_with_strangers_is_bounded_in_bytes(calling: Calling) -> None:
    tasks = [asyncio.create_task(calling(NEW, 3 * MB)) for _ in range(2)]
    (context,) = await told_at_once(tasks, 1)
    assert context.refused is not None
    assert "4 MB" in context.refused.message
    assert "MDS_REQUEST_MB" in context.refused.message
    assert (await calling(KNOWN, 5 * MB)).refused is None
    looking = asyncio.create_task(calling.tailer.run())
    assert [each.refused for each in await asyncio.gather(*tasks)].count(None) == 1
    assert (await calling(NEW, 6 * MB)).refused is None, "one is taken however large it is"
    looking.cancel()
    await asyncio.wait({looking})
