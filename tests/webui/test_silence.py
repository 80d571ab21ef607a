"""Who hears nothing is told within one heartbeat of a unit server, 5 s, whoever is silent."""

# ruff: noqa: N802  # the names are those of the protocol's methods

import asyncio
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from mds.v1 import token_pb2, token_pb2_grpc

from control_units.client import Client
from tests.webui.conftest import OpenSite
from webui.access import callers
from webui.access.person import STRANGER
from webui.live import events, feed

WITHIN_S = 5.0
# For what costs no time but on a busy machine: a message, some lines drawn.
ON_THE_WAY_S = 0.5
LIVE = Path(feed.__file__).parents[1] / "static" / "live.js"


def in_the_browser_s(name: str) -> float:
    found = re.search(rf"^const {name} = (\d+);", LIVE.read_text(), re.MULTILINE)
    assert found, name
    return int(found[1]) / 1000


def test_what_is_waited_for_between_silence_and_banner_is_shorter_than_a_heartbeat() -> None:
    assert feed.TOLD_SECONDS + ON_THE_WAY_S <= WITHIN_S, "silence of the metadata server"
    silence_s = in_the_browser_s("SILENCE_MS")
    assert silence_s + in_the_browser_s("LOOK_MS") + ON_THE_WAY_S <= WITHIN_S, "of the page's"
    assert silence_s >= 2 * events.ALIVE_SECONDS + ON_THE_WAY_S, "one word may be late"
    assert silence_s > callers.ASK_SECONDS + ON_THE_WAY_S, "before who connects anew gives up"
    assert feed.SILENCE_SECONDS < feed.TOLD_SECONDS, "another replica is tried before"


async def test_servers_that_stand_still_are_asked_who_calls_for_one_time_all_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callers, "ASK_SECONDS", 0.5)
    with ExitStack() as silent:
        servers = [silent.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]
        address = ",".join(f"127.0.0.1:{each.getsockname()[1]}" for each in servers)
        async with Client(address) as client, asyncio.timeout(1.5):
            assert await callers.Callers(client).who("") == STRANGER


class _WhoAmI(token_pb2_grpc.TokensServicer):
    """Says it until it stands still; who asks then waits for ever."""

    stands_still = False

    async def WhoAmI(self, _request: Any, _context: Any) -> token_pb2.WhoAmIResponse:
        if self.stands_still:
            await asyncio.Event().wait()
        return token_pb2.WhoAmIResponse()

    async def _unknown(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    GetToken = ListTokens = CreateToken = RevokeToken = _unknown


async def test_browsers_hear_on_while_nobody_says_whether_they_may(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To wait for a server that stands still would keep from them that it does."""
    monkeypatch.setattr(callers, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(callers, "ASK_SECONDS", 60.0)
    monkeypatch.setattr(events, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(events, "ALIVE_SECONDS", 0.05)
    server, who = grpc.aio.server(options=[("grpc.so_reuseport", 0)]), _WhoAmI()
    token_pb2_grpc.add_TokensServicer_to_server(who, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        site = await open_site(f"127.0.0.1:{port}")
        async with site.http.get("/events") as stream, asyncio.timeout(5):
            who.stands_still = True
            for _ in range(10):
                await stream.content.readuntil(b"event: alive\n")
    finally:
        await server.stop(None)
