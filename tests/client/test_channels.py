"""The connections of a client, and what is left of them once it is closed."""

import asyncio
import gc
import weakref

import pytest

from control_units.client import Client
from control_units.client.addresses import parse_addresses
from control_units.client.channels import Channels
from tests.client.scripted_server import ScriptedServer, hang
from tests.stages.ports import free_port
from tests.stages.waiting import until


async def test_closing_ends_the_calls_under_way() -> None:
    async with ScriptedServer([hang]) as server:
        client = Client(server.address)
        call = asyncio.create_task(client.templates.get("T"))
        await until(lambda: server.calls)
        await client.close()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_what_ends_after_its_client_was_closed_looks_for_no_server() -> None:
    """Whoever hears that a call has ended leaves its server: nobody is to try that for ever."""
    channels = Channels(parse_addresses(f"127.0.0.1:{free_port()}"))
    channels.channel(channels.address)
    await channels.close()
    channels.leave(channels.address)
    let_go = weakref.ref(channels)
    del channels
    gc.collect()
    assert let_go() is None
