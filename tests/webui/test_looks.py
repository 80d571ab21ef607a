"""The page as people see it, in a real browser: sizes, themes, contrast, landmarks."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from mds.v1 import state_pb2
from playwright.async_api import Page, expect

from tests.webui.browsers import NewPage, look
from tests.webui.conftest import Site, running_site
from tests.webui.messages import NOW, Server, Unit, overview
from webui.live.painter import Link, Painter
from webui.overview.glance import Glance, glance
from webui.rendering import environment

# Ratio of text and what is behind it: WCAG 2.2 AA asks for 4.5 (3 for large text).
LEAST_CONTRAST = 4.5
LOW_CONTRAST = """
(() => {
  const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.nodeValue.trim() || !element.checkVisibility()) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < LEAST) low.push(`${walker.currentNode.nodeValue.trim()}: ${ratio.toFixed(2)}`);
  }
  return low;
})()
""".replace("LEAST", str(LEAST_CONTRAST))
SIZES = {"phone": (360, 780), "laptop": (1366, 768), "desk": (1920, 1080), "wall": (3840, 2160)}


def facility() -> Glance:
    """A facility with one of everything that can be shown."""
    servers = [
        Server("ALIVE/PS"),
        Server("c8:1f:66:b1:27:48", state_pb2.CONTACT_SUSPECT),
        Server("LOST", state_pb2.CONTACT_LOST, NOW - timedelta(minutes=3)),
        Server("BLIND", state_pb2.CONTACT_UNKNOWN),
        Server("NEVER", state_pb2.CONTACT_NONE),
    ]
    verdict = dict(
        zip(
            [server.id for server in servers],
            [
                state_pb2.HEALTH_GOOD,
                state_pb2.HEALTH_WARNING,
                state_pb2.HEALTH_BAD,
                state_pb2.HEALTH_UNKNOWN,
                state_pb2.HEALTH_WARNING,
            ],
            strict=True,
        )
    )
    units = [
        Unit(f"ZONE{n % 7}/GROUP/A-RATHER-LONG-NAME-OF-A-UNIT{n}", server, health=verdict[server])
        for server, n in itertools.product(verdict, range(6))
    ]
    states = zip(units, state_pb2.State.values(), strict=False)
    for unit, state in states:
        unit.state = state
        unit.health = state_pb2.HEALTH_BAD if state >= 6 else state_pb2.HEALTH_CHANGING
        unit.message = "RuntimeError: interlock open" if state >= 6 else ""
    return glance(overview(servers, units))


def show(site: Site, *, state: str = "live") -> None:
    view = facility()
    link = Link(state, "a:1", None if state == "live" else view.time)
    painting = Painter(environment()).paint(view, link)
    site.hub.show(link=state, pieces=painting.pieces, lists=painting.lists)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[Site]:
    async with running_site() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def page(new_page: NewPage) -> Page:
    return await new_page()


async def test_all_text_can_be_read_in_both_themes_live_and_stale(site: Site, page: Page) -> None:
    for state in ("live", "stale"):
        show(site, state=state)
        await page.goto(f"{site.url}/?{state}")
        assert await page.evaluate("document.body.dataset.link") == state
        for dark in (False, True):
            await look(page, width=1366, height=768, dark=dark)
            assert await page.evaluate(LOW_CONTRAST) == [], (state, dark)


async def test_no_size_needs_scrolling_sideways(site: Site, page: Page) -> None:
    show(site)
    await page.goto(f"{site.url}/")
    for name, (width, height) in SIZES.items():
        await look(page, width=width, height=height)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, name


async def test_the_page_has_landmarks_and_each_id_once(site: Site, page: Page) -> None:
    show(site)
    await page.goto(f"{site.url}/")
    assert await page.evaluate("document.documentElement.lang") == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert await page.evaluate(f"document.querySelectorAll('{landmark}').length") == 1
    assert await page.evaluate("document.querySelectorAll('h1').length") == 1
    doubled = """
      (() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
               return ids.filter((id, at) => ids.indexOf(id) !== at); })()
    """
    assert await page.evaluate(doubled) == []
    named = (
        "[...document.querySelectorAll('section')].every((s) => s.ariaLabelledByElements?.length)"
    )
    assert await page.evaluate(named)


async def test_only_the_summary_speaks_by_itself(site: Site, page: Page) -> None:
    show(site)
    await page.goto(f"{site.url}/")
    inside = "[...document.querySelectorAll('[aria-live]')].map((e) => [e.ariaLive, !!e.querySelector('#headline')])"
    assert await page.evaluate(inside) == [["polite", True]]


async def test_a_server_can_be_opened_from_the_keyboard_and_the_focus_is_seen(
    site: Site, page: Page
) -> None:
    show(site)
    await page.goto(f"{site.url}/")
    await page.evaluate("document.querySelector('.servers summary').focus()")
    await page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert await page.evaluate(outline) == "solid"
    await page.keyboard.press("Enter")
    await expect(page.locator("details:has(> summary:focus)")).to_have_attribute("open", "")
