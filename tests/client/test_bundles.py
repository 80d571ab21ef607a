"""Bundles on their way, and servers that end before they have said how it went."""

import asyncio
import time
from typing import Any

import grpc
import pytest
from mds.v1.bundle_pb2 import ApplyProgress, ApplyResponse, ApplySummary, BundleHeader, BundleItem

from control_units.client import Client, Unreachable
from control_units.client.bundles import MOST_BROKEN, Outcome, apply_bundle
from tests.client.scripted_server import Context, ScriptedServer
from tests.stages.ports import free_port

PATIENCE_S = 1.0
"""Of the client, with servers that it does not reach: more than the pauses between three tries."""


async def send(client: Client) -> Outcome:
    header = BundleHeader()
    return await apply_bundle(client, [BundleItem()], header, progress=lambda _: None, timeout=30)


async def end_late(_: Any, context: Context) -> None:
    """It was at work for longer than its client would look for a server, and is drained."""
    await asyncio.sleep(2 * PATIENCE_S)
    await context.abort(grpc.StatusCode.UNAVAILABLE, "Cancelling all calls")


async def applied(*_: Any) -> ApplyResponse:
    return ApplyResponse(summary=ApplySummary(applied=True))


async def test_a_bundle_is_sent_again_when_its_server_ends_however_long_it_was_at_work() -> None:
    async with (
        ScriptedServer([end_late, applied]) as server,
        Client(server.address, timeout=PATIENCE_S) as client,
    ):
        assert (await send(client)).summary.applied
    assert len(server.calls) == 2
    assert len({call.request.request_id for call in server.calls}) == 1, "which makes it safe"


async def break_off_at_work(_: Any, context: Context) -> Any:
    """It has told how far it is, and is killed."""
    await context.write(ApplyResponse(progress=ApplyProgress(received=1)))
    await end_late(_, context)


async def test_a_bundle_that_ends_its_servers_is_not_sent_to_all_of_them() -> None:
    async with (
        ScriptedServer([break_off_at_work]) as server,
        Client(server.address, timeout=PATIENCE_S) as client,
    ):
        with pytest.raises(Unreachable, match="send it in parts") as broken:
            await send(client)
    assert f"{MOST_BROKEN} times" in str(broken.value)
    assert len(server.calls) == MOST_BROKEN


async def test_a_bundle_is_sent_again_when_a_server_at_work_is_killed() -> None:
    async with (
        ScriptedServer([break_off_at_work, break_off_at_work, applied]) as server,
        Client(server.address, timeout=PATIENCE_S) as client,
    ):
        assert (await send(client)).summary.applied


async def test_that_no_server_takes_a_bundle_is_told_soon() -> None:
    began = time.monotonic()
    async with Client(f"127.0.0.1:{free_port()}", timeout=PATIENCE_S) as client:
        with pytest.raises(Unreachable):
            await send(client)
    assert time.monotonic() - began < 10
