"""Each kind of page over 100,000 units: what it costs the page's process and the metadata server,
and how large it is."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout

from benchmarks.facility import server_id, unit_id
from benchmarks.large_facility import TEMPLATE, UNITS
from benchmarks.stage import Stage
from benchmarks.table import percentile, print_table
from benchmarks.web import DATABASES, Web, cpu_s, large_facility, web

ROUNDS = 11
GOAL_MS = 150
UNIT, SERVER = unit_id(3, 5), server_id(3)
PAGES = {
    "overview": "/",
    "overview, by template": "/?group=template",
    "charts of a day": "/charts?range=24h",
    "overview, some time ago": "/?as_of=20",
    "topology": "/topology",
    "topology, some time ago": "/topology?as_of=20",
    "units, by id": "/control_units",
    "units, by time of change": "/control_units?sort=-changed",
    "units, by state": "/control_units?sort=state",
    "units, by since": "/control_units?sort=-since",
    "units, 500 on a page": "/control_units?size=500",
    "units, some time ago": "/control_units?as_of=20",
    "units in a state": f"/control_units?q={quote('state=FATAL_ERROR')}",
    "units of a zone, as typed": f"/control_units?q={quote('zone=ZONE3')}&fragment=list",
    "a word in ids, as typed": "/control_units?q=UNIT0005&fragment=list",
    "a word that nothing has": "/control_units?q=description:nothing",
    "suggestions, unit servers": f"/control_units?fragment=suggest&text={quote('unit_server=HO')}",
    "a row that changed": f"/control_units?fragment=rows&name=control_units/{UNIT}",
    "names that are new": "/control_units?fragment=names",
    "how many match": f"/control_units?fragment=count&q={quote('zone=ZONE3')}",
    "conditions": "/conditions",
    "unit servers": "/unit_servers",
    "changes": "/changes",
    "operations": "/operations",
    "templates": "/templates",
    "a unit": f"/control_units/{UNIT}",
    "its history": f"/control_units/{UNIT}/history",
    "its edit": f"/control_units/{UNIT}/edit",
    "a unit server": f"/unit_servers/{SERVER}",
    "a template": f"/templates/{TEMPLATE}",
    "edit a zone together": f"/datasets/edit?filter={quote('zone=ZONE3')}",
    "plan to stop 100 units": "/operations/new?verb=STOP&"
    + "&".join(f"id={unit_id(3, place)}" for place in range(50))
    + "&"
    + "&".join(f"id={unit_id(4, place)}" for place in range(50)),
    "plan to stop a zone, announced": f"/operations/new?verb=STOP&filter={quote('zone=ZONE3')}",
    "the same, fetched": f"/operations/new?verb=STOP&filter={quote('zone=ZONE3')}&whole=1",
    "plan to delete a zone, fetched": f"/datasets/delete?filter={quote('zone=ZONE3')}&whole=1",
    "a change set of 5,040 units": "/change_sets/2",
    "palette": "/palette?q=UNIT0005",
}


async def web_pages(stage: Stage) -> None:
    """Prints times of pages on both databases, beside those of a bare page."""
    for database in DATABASES:
        async with (
            bare_page() as (process, port),
            large_facility(stage, database) as replica,
            web(replica, stage.folder) as opened,
            ClientSession(timeout=ClientTimeout(total=30)) as http,
        ):
            rows = [await bare_row(http, process, port)]
            for title, path in PAGES.items():
                rows.append([title, *await measured(http, opened, path)])
            memory = opened.megabytes
        print_table(
            f"Pages over {UNITS:,} units on {database}, {ROUNDS} times each, ms; the page's "
            f"process then has {memory:.0f} MB (goal: < 200)",
            ["", "median", "p95", "goal", "CPU, server", "CPU, page", "calls", "in them", "kB"],
            rows,
        )


async def measured(http: ClientSession, opened: Web, path: str) -> list[object]:
    """Times by the clock and of processors, calls and their time, and the size compressed."""
    await get(http, opened.url + path)
    times, size = [], 0.0
    calls, server, page = await opened.calls(http), *opened.cpu_s
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        size = await get(http, opened.url + path)
        times.append((time.perf_counter() - begun) * 1000)
    server_s, page_s = (
        after - before for after, before in zip(opened.cpu_s, (server, page), strict=True)
    )
    count, seconds = (
        (after - before) / ROUNDS
        for after, before in zip(await opened.calls(http), calls, strict=True)
    )
    return [
        *(median(times), percentile(times, 95), f"< {GOAL_MS}"),
        *(server_s / ROUNDS * 1000, page_s / ROUNDS * 1000),
        *(round(count), seconds * 1000, size / 1000),
    ]


async def get(http: ClientSession, url: str) -> float:
    """Bytes of an answer as they travel."""
    async with http.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
        body = await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{url}: {answer.status} {body[:500].decode()}")
        return float(answer.headers.get("Content-Length", len(body)))


async def bare_row(http: ClientSession, process: int, port: int) -> list[object]:
    times, size = [], 0.0
    used = cpu_s(process)
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        size = await get(http, f"http://127.0.0.1:{port}/")
        times.append((time.perf_counter() - begun) * 1000)
    page = (cpu_s(process) - used) / ROUNDS * 1000
    return [
        "a bare aiohttp and jinja2 page",
        *(median(times), percentile(times, 95), "", "", page, "", "", size / 1000),
    ]


@asynccontextmanager
async def bare_page() -> AsyncIterator[tuple[int, int]]:
    """Process and port of the bare page."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.bare_page",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.pid, int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()
