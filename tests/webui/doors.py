"""The web page before a server that asks for tokens, and browsers of people who have them."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from mds.v1.token_pb2 import RevokeTokenRequest, WhoAmIRequest
from playwright.async_api import Page

from control_units.client import Client, Denied
from control_units.client.tokens import NewToken
from tests.access.conftest import Guarded
from tests.stages.waiting import until
from webui.access.entrance import Entrance
from webui.application import application
from webui.live.feed import Feed
from webui.live.hub import Hub
from webui.live.painter import Painter
from webui.rendering import environment
from webui.server import runner_of
from webui.site import Site

# A browser says so of a page that it shows itself.
NAVIGATING = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
FETCHING = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
# Pages that are looked at, and pages with a form.
LOOKED_AT = [
    *("/", "/control_units", "/unit_servers", "/templates", "/operations", "/snapshots"),
    *("/changes", "/conditions", "/agents", "/templates/LOOKED_AT", "/templates/LOOKED_AT/history"),
    *("/change_sets/1", "/palette?q=i", "/keys"),
]
FORMS = [
    *("/control_units/new", "/unit_servers/new", "/templates/new", "/templates/LOOKED_AT/edit"),
    *("/operations/new?verb=start&id=A", "/datasets/edit?id=A", "/import", "/change_sets/1/undo"),
    *("/snapshots/new?id=A", "/launches/new?how=stop&unit_server=A", "/maintenances/new?id=A"),
    *("/control_units/A/delete", "/control_units/A/rename", "/templates/LOOKED_AT/revert?to=1"),
    *("/tokens", "/operations/steer?how=abort&id=A", "/datasets/delete?of=templates&id=A"),
    "/maintenances/end?id=A",
]


@dataclass(frozen=True)
class Door:
    """
    Attributes:
        hub: what all browsers are told.
    """

    url: str
    hub: Hub


@asynccontextmanager
async def door(
    address: str, *, token: str = "", entrance: Entrance | None = None
) -> AsyncIterator[Door]:
    """
    Args:
        token: the page's own, with which it follows the server; empty: it does not.
    """
    templates, hub = environment(), Hub(most_viewers=10)
    async with Client(address, token=token or None, timeout=5) as client:
        feed = Feed(client, hub, Painter(templates))
        app = application(Site(client, hub, templates), feed, entrance or Entrance())
        runner = runner_of(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        following = asyncio.create_task(feed.run()) if token else None
        try:
            host, port = runner.addresses[0][:2]
            yield Door(f"http://{host}:{port}", hub)
        finally:
            hub.close()
            if following is not None:
                following.cancel()
                await asyncio.wait([following])
            await runner.cleanup()


class Visitor:
    """A browser without scripts."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def get(
        self, path: str, *, status: int = 200, headers: Mapping[str, str] = NAVIGATING
    ) -> str:
        async with self.http.get(path, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def post(
        self,
        path: str,
        fields: Mapping[str, str] | aiohttp.FormData,
        *,
        status: int = 200,
        leads_to: str = "",
    ) -> str:
        async with self.http.post(
            path, data=fields, headers=NAVIGATING, allow_redirects=False
        ) as answer:
            text = await answer.text()
            assert answer.status == (303 if leads_to else status), text
            assert re.fullmatch(leads_to, answer.headers.get("Location", "")), answer.headers
            return text

    async def log_in(self, token: str, *, then: str = "/") -> None:
        await self.post("/login", {"token": token, "next": then}, leads_to=re.escape(then))


@asynccontextmanager
async def visitor(door: Door) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(door.url, cookie_jar=jar) as http:
        yield Visitor(http)


async def type_token(page: Page, token: str) -> None:
    """Logs in where the page asks who it is."""
    await page.get_by_label("Your token").fill(token)
    await page.keyboard.press("Enter")


def one_field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found[1])


def hidden_in(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(request_id)" value="([^"]*)"', text))


async def is_refused(guarded: Guarded, token: str) -> bool:
    async with Client(guarded.first.address, token=token) as client:
        try:
            await client.tokens.WhoAmI(WhoAmIRequest())
        except Denied:
            return True
        return False


async def revoked(guarded: Guarded, token: NewToken) -> None:
    """Waits until it is of no use."""
    async with guarded.client("admin") as admin:
        await admin.tokens.RevokeToken(RevokeTokenRequest(name=token.name))
    await until(lambda: is_refused(guarded, token.text), what="a token that is of no use")
