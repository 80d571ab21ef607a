"""The overview of a server that says less than ours: an older one, in an upgrade."""

# ruff: noqa: N802  # the names are those of the protocol's methods

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from mds.v1 import overview_pb2, overview_pb2_grpc, state_pb2, watch_pb2, watch_pb2_grpc
from structlog.testing import capture_logs

from control_units.client import Backoff
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, running_site
from tests.webui.messages import Server, Unit, overview


class _Overview(overview_pb2_grpc.OverviewServicer):
    async def GetOverview(self, _request: Any, _context: Any) -> overview_pb2.GetOverviewResponse:
        return overview([Server("US")], [Unit("A/PS1", "US")])

    async def Pulse(
        self, _request: Any, _context: Any
    ) -> AsyncIterator[overview_pb2.PulseResponse]:
        while True:
            yield overview_pb2.PulseResponse()
            await asyncio.sleep(0.1)

    async def _unknown(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    ListGroups = ListSamples = _unknown


class _Watch(watch_pb2_grpc.WatchServicer):
    async def Watch(self, _request: Any, _context: Any) -> AsyncIterator[watch_pb2.WatchResponse]:
        while True:
            yield watch_pb2.WatchResponse()
            await asyncio.sleep(0.1)


@asynccontextmanager
async def serving(told: _Overview) -> AsyncIterator[str]:
    """Address of a server that tells this, and knows no replicas, operations or history."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    overview_pb2_grpc.add_OverviewServicer_to_server(told, server)
    watch_pb2_grpc.add_WatchServicer_to_server(_Watch(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@pytest.fixture
async def older_server() -> AsyncIterator[str]:
    async with serving(_Overview()) as address:
        yield address


async def test_units_are_shown_where_what_stands_beside_them_cannot_be_read(
    older_server: str, open_site: OpenSite
) -> None:
    with capture_logs() as logs:
        site = await open_site(older_server, follow=True)
        await until(lambda: "around_not_read" in [log["event"] for log in logs], what="the rest")
    assert site.feed.is_live, "an answer that is missing does not end the others"
    assert "US" in await site.text("/")


class _Turning(_Overview):
    """Hears of nothing, and after a while believes one of its two unit servers no longer."""

    contact = state_pb2.CONTACT_ALIVE

    async def GetOverview(self, _request: Any, _context: Any) -> overview_pb2.GetOverviewResponse:
        return overview([Server("US", contact=self.contact), Server("OTHER")], [])


async def test_a_contact_that_turns_by_the_clock_is_told_like_an_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webui.live.feed.QUIET_SECONDS", 0.2)
    turning = _Turning()
    async with serving(turning) as address, running_site(address, follow=True) as site:
        await until(lambda: site.feed.is_live)
        turning.contact = state_pb2.CONTACT_SUSPECT
        await until(lambda: "unit_servers/US" in (site.hub.picture.touched or ()), within=5)
        assert site.hub.picture.touched == frozenset({"unit_servers/US"})


class _Silent(_Overview):
    """Answers until it is silent; who asks then waits for ever."""

    def __init__(self) -> None:
        self.speaks = asyncio.Event()
        self.speaks.set()

    async def GetOverview(self, request: Any, context: Any) -> overview_pb2.GetOverviewResponse:
        await self.speaks.wait()
        return await super().GetOverview(request, context)

    async def Pulse(self, request: Any, context: Any) -> AsyncIterator[overview_pb2.PulseResponse]:
        async for beat in super().Pulse(request, context):
            await self.speaks.wait()
            yield beat


async def test_silence_is_told_while_another_answer_is_still_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webui.live.feed.SILENCE_SECONDS", 0.5)
    monkeypatch.setattr("webui.live.feed.TOLD_SECONDS", 1.0)
    monkeypatch.setattr("webui.live.feed.OPEN_SECONDS", 60.0)
    silent = _Silent()
    async with serving(silent) as address, running_site(address, follow=True) as site:
        await until(lambda: site.feed.is_live)
        silent.speaks.clear()
        await until(lambda: site.hub.picture.link == "stale", within=5)
        assert "No word from the metadata server" in site.hub.picture.pieces["banner"]
        silent.speaks.set()
        await until(lambda: site.feed.is_live, within=5)


class _Counted(_Overview):
    """Tells how often it was opened, and pulses for nobody."""

    opened = 0

    async def GetOverview(self, request: Any, context: Any) -> overview_pb2.GetOverviewResponse:
        self.opened += 1
        return await super().GetOverview(request, context)

    async def Pulse(self, _request: Any, context: Any) -> AsyncIterator[overview_pb2.PulseResponse]:
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no pulse for you")
        yield overview_pb2.PulseResponse()


async def test_who_is_refused_its_streams_at_once_does_not_ask_without_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    class Noting(Backoff):
        def next(self, *, at_least: float = 0.0) -> float:
            pauses.append(super().next(at_least=at_least))
            return pauses[-1]

    monkeypatch.setattr("webui.live.feed.Backoff", Noting)
    counted = _Counted()
    async with serving(counted) as address, running_site(address, follow=True):
        await until(lambda: counted.opened >= 4, what="four openings")
        assert len(pauses) >= 3
