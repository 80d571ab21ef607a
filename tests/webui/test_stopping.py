"""A page that is told to stop, and those who wait for an answer of it."""

import asyncio
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from webui.server import DRAIN_SECONDS, SHUTDOWN_SECONDS, runner_of

WORK_SECONDS = 6.5
COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"


async def test_an_import_under_way_ends_before_the_page_does() -> None:
    arrived = asyncio.Event()

    async def import_facility(_: web.Request) -> web.Response:
        arrived.set()
        await asyncio.sleep(WORK_SECONDS)
        return web.Response(text="imported")

    app = web.Application()
    app.add_routes([web.post("/import", import_facility)])
    runner = runner_of(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def ask() -> str:
        url = "http://{}:{}/import".format(*runner.addresses[0])
        async with aiohttp.ClientSession() as http, http.post(url) as reply:
            return await reply.text()

    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ask())
        await arrived.wait()
        await runner.cleanup()
    assert asking.result() == "imported"


def test_docker_waits_for_the_end_of_requests() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name in ("web-1", "web-2"):
        patience = services[name].get("stop_grace_period", "10s")
        assert float(patience.removesuffix("s")) > SHUTDOWN_SECONDS + DRAIN_SECONDS + 5
