"""Pages of lists in the web UI: what one costs its process and the metadata server, and how large
it is."""

from __future__ import annotations

import time
from statistics import median

from aiohttp import ClientSession, web

from benchmarks.facility import declare
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table
from control_units.client import Client
from webui.application import application
from webui.live.feed import Feed
from webui.live.hub import Hub
from webui.live.painter import Painter
from webui.rendering import environment
from webui.server import runner_of
from webui.site import Site

SERVERS, UNITS, ROUNDS = 100, 100, 15
GOAL_MS = 150
PAGES = {
    "all, by id": "/control_units",
    "by time of change": "/control_units?sort=-changed",
    "a state": "/control_units?q=state%3DRUNNING",
    "words in descriptions": "/control_units?q=description:nothing",
    "500 rows": "/control_units?size=500",
    "unit servers": "/unit_servers",
    "a part, as typed": "/control_units?q=zone%3DA&fragment=list",
    "one row again": "/control_units?fragment=rows&name=FIRST",
}


async def web_lists(stage: Stage) -> None:
    """Prints times of pages."""
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        first = await anext(aiter(client.control_units.list()))
        hub, templates = Hub(most_viewers=1), environment()
        app = application(Site(client, hub, templates), _feed(client, hub))
        runner = runner_of(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            async with ClientSession(f"http://{host}:{port}") as http:
                rows = [
                    [title, *await _measured(http, path.replace("FIRST", first.name))]
                    for title, path in PAGES.items()
                ]
        finally:
            await runner.cleanup()
    print_table(
        f"Pages of lists, {SERVERS * UNITS:,} units, medians of {ROUNDS}, goal < {GOAL_MS} ms",
        ["", "ms", "slowest ms", "of it web UI, ms CPU", "kB compressed"],
        rows,
    )


def _feed(client: Client, hub: Hub) -> Feed:
    return Feed(client, hub, Painter(environment()))


async def _measured(http: ClientSession, path: str) -> tuple[float, float, float, float]:
    times: list[float] = []
    cpu: list[float] = []
    size = 0
    for _ in range(ROUNDS):
        begin, busy = time.monotonic(), time.process_time()
        async with http.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()
            size = int(answer.headers.get("Content-Length", 0))
        times.append((time.monotonic() - begin) * 1000)
        cpu.append((time.process_time() - busy) * 1000)
    return median(times), max(times), median(cpu), size / 1000
