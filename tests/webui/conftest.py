"""The web page in this process, as it runs in service, on a free port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser
from prometheus_client import CollectorRegistry

from control_units.client import Client
from tests.stages.layout import MariaDBLayout
from tests.stages.mariadb import MariaDB
from tests.stages.ports import free_port
from tests.stages.requirements import needs
from tests.webui.browsers import NewPage, Pages, chromium, what_is_missing
from tests.webui.control_room import ControlRoom, running_control_room
from webui.application import application
from webui.figures import WebFigures
from webui.live.feed import Feed
from webui.live.hub import Hub
from webui.live.painter import Painter
from webui.rendering import environment
from webui.server import runner_of
from webui.site import Site as PageSite
from webui.translation import LANGUAGE, speak


@dataclass
class Site:
    """A running page.

    Attributes:
        feed: follows the server only when a test has it do so.
        http: a client whose paths are relative to the page.
    """

    url: str
    hub: Hub
    feed: Feed
    http: aiohttp.ClientSession
    runner: web.AppRunner
    registry: CollectorRegistry

    @property
    def connections(self) -> int:
        """Connections that the site holds."""
        assert self.runner.server is not None
        return len(self.runner.server.connections)

    async def text(self, path: str, *, status: int = 200) -> str:
        async with self.http.get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()


OpenSite = Callable[..., Awaitable[Site]]


@asynccontextmanager
async def running_site(
    address: str = "", *, most_viewers: int = 10, most_requests: int = 100, follow: bool = False
) -> AsyncIterator[Site]:
    """Runs a page; by default nobody answers where it asks, and it follows no server."""
    templates = environment()
    hub = Hub(most_viewers=most_viewers)
    async with Client(address or f"127.0.0.1:{free_port()}") as client:
        feed = Feed(client, hub, Painter(templates))
        registry = CollectorRegistry()
        figures = WebFigures(registry, hub, feed)
        site = PageSite(client, hub, templates)
        app = application(site, feed, most_requests=most_requests, hearers=[figures.count])
        runner = runner_of(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        url = f"http://{host}:{port}"
        following = asyncio.create_task(feed.run()) if follow else None
        try:
            async with aiohttp.ClientSession(url) as http:
                yield Site(url, hub, feed, http, runner, registry)
        finally:
            if following:
                await _stop(following)
            hub.close()
            await runner.cleanup()


async def _stop(following: asyncio.Task[None]) -> None:
    # A task group that fails at the same moment takes the first cancellation away.
    while not following.done():
        following.cancel()
        await asyncio.wait([following], timeout=1)


@pytest.fixture
async def open_site() -> AsyncIterator[OpenSite]:
    """Runs a page; by default nobody answers where it asks."""
    async with AsyncExitStack() as stack:

        async def open_(address: str = "", **how: Any) -> Site:
            return await stack.enter_async_context(running_site(address, **how))

        yield open_


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs tests in a browser where the browser is: on the event loop of the session."""
    for item in items:
        if isinstance(item, pytest.Function) and "browser" in item.fixturenames:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One for all tests of this process: it takes a second to start."""
    needs(what_is_missing())
    async with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def database_of_module(mariadb_server: MariaDB, mariadb_layout: MariaDBLayout) -> Iterator[str]:
    """URL of a database of MariaDB, one for all tests of a module."""
    mariadb_server.heal()
    name = mariadb_layout.take()
    yield mariadb_server.url(name)
    mariadb_layout.give_back(name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def control_room(
    database_of_module: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ControlRoom]:
    """One for all tests of a module: a facility that runs, on MariaDB."""
    folder = tmp_path_factory.mktemp("control_room")
    async with running_control_room(database_of_module, folder, with_dafne=True) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def new_page(browser: Browser) -> AsyncIterator[NewPage]:
    """Opens tabs; see tests/webui/browsers.py."""
    pages = Pages(browser)
    try:
        yield pages.new
    finally:
        await pages.close()
    assert pages.faults == [], "the console of the browser showed errors"


@pytest.fixture
def german() -> Iterator[None]:
    """All texts made meanwhile are German."""
    before = LANGUAGE.get()
    speak("de")
    yield
    LANGUAGE.set(before)
