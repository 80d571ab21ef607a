"""The page over 100,000 units in browsers: how soon there is something to see, how much travels,
how soon an event is a pixel with 50 browsers open, and what remains in memory of views and
browsers that are gone."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from statistics import median

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from playwright.async_api import Browser, Page

from benchmarks.facility import unit_id
from benchmarks.large_facility import UNITS
from benchmarks.stage import Stage
from benchmarks.table import percentile, print_table
from benchmarks.web import Web, large_facility, web
from benchmarks.web_pages import PAGES, bare_page, get
from metadata_server.domain.intent.control_unit import ControlUnitStatus
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.database import open_database
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.waiting import until
from tests.webui.browsers import chromium, until_true

BROWSERS, EVENTS, PAINTS = 50, 20, 5
VIEWS, COMINGS = 1_000, 4
PATIENCE_S = 120
PATIENCE_MS = PATIENCE_S * 1_000
PAINTED = {"overview": "/", "units": "/control_units", "a unit": f"/control_units/{unit_id(3, 5)}"}
WATCH = """() => {
  window.seen = {};
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes)
        if (node.id) requestAnimationFrame(() => { window.seen[node.id] ??= Date.now(); });
  }).observe(document.getElementById("attention"), {childList: true});
}"""
PAINT_IS_KNOWN = "performance.getEntriesByName('first-contentful-paint').length"
PAINT = """() => {
  const entries = ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type));
  return {
    ms: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    bytes: entries.reduce((sum, each) => sum + each.transferSize, 0),
  };
}"""


async def web_browsers(stage: Stage) -> None:
    """Prints what browsers see, on SQLite."""
    async with (
        bare_page() as (_, port),
        large_facility(stage, "SQLite") as replica,
        web(replica, stage.folder) as opened,
        chromium(stage.folder) as browser,
    ):
        await first_paint(browser, opened, bare=f"http://127.0.0.1:{port}/")
        await event_to_pixel(browser, opened)
        await memory(opened)


async def first_paint(browser: Browser, opened: Web, *, bare: str) -> None:
    """Beside that of a bare page: how quick the browser itself is here, at this moment."""
    rows: list[list[object]] = []
    ours = {title: opened.url + path for title, path in PAINTED.items()}
    for title, url in {"a bare aiohttp and jinja2 page": bare, **ours}.items():
        cold: list[dict[str, float]] = []
        warm: list[dict[str, float]] = []
        for _ in range(PAINTS):
            context = await browser.new_context()
            for taken in (cold, warm):
                page = await context.new_page()
                await page.goto(url, timeout=PATIENCE_MS)
                await until_true(page, PAINT_IS_KNOWN, within=PATIENCE_S)
                taken.append(await page.evaluate(PAINT))
                await page.close()
            await context.close()
        for name, taken in (("cold", cold), ("warm", warm)):
            ms = [each["ms"] for each in taken]
            kilobytes = max(each["bytes"] for each in taken) / 1000
            rows.append([title, name, median(ms), max(ms), "< 500", kilobytes, "< 150"])
    print_table(
        f"First contentful paint over {UNITS:,} units, {PAINTS} times",
        ["", "", "ms", "slowest", "goal", "kB on the wire", "goal"],
        rows,
    )


async def event_to_pixel(browser: Browser, opened: Web) -> None:
    store = Store(open_database(opened.replica.database))
    running = store.read_now(running_units).value
    page = await browser.new_page()
    try:
        await page.goto(opened.url, timeout=PATIENCE_MS)
        await page.wait_for_selector("body[data-link=live]", timeout=PATIENCE_MS)
        await page.evaluate(WATCH)
        async with listeners(opened.url, BROWSERS - 1) as heard:
            server, web_page = opened.cpu_s
            begun = time.monotonic()
            taken = [await one_event(store, page, each) for each in running]
            spent = time.monotonic() - begun
            server, web_page = opened.cpu_s[0] - server, opened.cpu_s[1] - web_page
            read = heard.bytes / EVENTS / (BROWSERS - 1) / 1000
    finally:
        await page.close()
        store.close()
    print_table(
        f"From the commit of a unit's state to a pixel, {BROWSERS} browsers open, {EVENTS} events",
        ["", "ms", "p99", "goal", "server, cores", "page, cores", "kB a browser and event"],
        [
            [
                "",
                median(taken),
                percentile(taken, 99),
                "< 1,000",
                server / spent,
                web_page / spent,
                read,
            ]
        ],
    )


def running_units(unit: UnitOfWork) -> list[ControlUnitStatus]:
    """Of the first unit servers, as many as there are events: what errs already draws nothing."""
    ids = [unit_id(server, place) for server in range(2) for place in range(EVENTS)]
    statuses = statuses_of(unit, [unit.keys.key_of(Kind.CONTROL_UNIT, id) for id in ids])
    return [each for each in statuses.values() if each.state is State.RUNNING][:EVENTS]


async def one_event(store: Store, page: Page, status: ControlUnitStatus) -> float:
    """Has a unit of another replica's say that it errs; ms until it is on the screen."""

    def errs(unit: UnitOfWork) -> None:
        save_statuses(unit, [replace(status, state=State.FATAL_ERROR, state_time_us=unit.now_us)])

    await store.transact(errs)
    committed = time.time() * 1000
    piece = f"attention:unit:{status.id}"
    seen = f"window.seen[{json.dumps(piece)}]"
    await until_true(page, seen, within=PATIENCE_S)
    return float(await page.evaluate(seen)) - committed


@dataclass
class Heard:
    bytes: int = 0


@asynccontextmanager
async def listeners(url: str, count: int) -> AsyncIterator[Heard]:
    """Browsers that read everything and draw nothing."""
    heard, there = Heard(), 0

    async def listen(http: ClientSession) -> None:
        nonlocal there
        async with http.get(f"{url}/events") as answer:
            answer.raise_for_status()
            there += 1
            async for part in answer.content.iter_any():
                heard.bytes += len(part)

    timeout = ClientTimeout(total=None)
    async with ClientSession(connector=TCPConnector(limit=0), timeout=timeout) as http:
        tasks = [asyncio.create_task(listen(http)) for _ in range(count)]
        try:
            await until(lambda: there == count, within=60, what=f"{count} browsers")
            await until(lambda: heard.bytes > 0, within=10, what="the first picture")
            yield heard
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def memory(opened: Web) -> None:
    """What the page's process has before, and after views and browsers that are gone."""
    rows: list[list[object]] = [["before", opened.megabytes]]
    paths = [path for path in PAGES.values() if "as_of" not in path]
    async with ClientSession() as http:
        for half in (1, 2):
            for number in range(VIEWS // 2):
                await get(http, opened.url + paths[number % len(paths)])
            rows.append([f"after {VIEWS // 2 * half:,} views", opened.megabytes])
    for coming in range(1, COMINGS + 1):
        async with listeners(opened.url, BROWSERS):
            pass
        if coming in (1, COMINGS):
            rows.append([f"after {coming} times {BROWSERS} browsers", opened.megabytes])
    print_table("Memory of the page's process, goal < 200 MB", ["", "MB"], rows)
