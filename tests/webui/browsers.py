"""Debian's Chromium without a window, driven by Playwright.

A test in a browser asks for the fixture `new_page` (tests/webui/conftest.py):

    page = await new_page()                                   # Playwright's Page, a context of its own
    await page.goto(f"{site.url}/control_units")
    await page.keyboard.press("j")
    await until_true(page, "document.querySelector('tr[data-here]')")

One browser serves all tests of a process. It belongs to the event loop of the session: such tests
run there by themselves, and their async fixtures say `@pytest_asyncio.fixture(loop_scope="session")`;
a page of the web UI is served there by `running_site`. What the console shows in red fails the test
at its end, but for what was expected: `new_page(expected="412")`.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright, expect

from tests.stages.waiting import until

CHROMIUM = next(filter(shutil.which, ("chromium-headless-shell", "chromium")), "")
"""The shell has no window to draw, which is a third of what a page costs."""
LAPTOP = (1366, 768)
WAIT_S = 15.0
_FLAGS = ("--disable-quic", "--no-proxy-server", "--disable-gpu")

_SEND = """
([path, fields]) => {
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: path, hidden: true});
  for (const [name, value] of new URLSearchParams(fields)) {
    form.append(Object.assign(document.createElement("textarea"), {name, value}));  // has lines
  }
  document.body.append(form);
  form.submit();
}
"""

NewPage = Callable[..., Awaitable[Page]]


def what_is_missing() -> str:
    return "" if CHROMIUM else "Chromium is not installed (Debian: chromium-headless-shell)."


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Browser]:
    """Runs a browser whose own files go to `folder`, and leaves no process behind."""
    expect.set_options(timeout=WAIT_S * 1000)
    home: dict[str, str | float | bool] = {**os.environ, "HOME": str(folder)}
    home["XDG_CONFIG_HOME"] = str(folder)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which(CHROMIUM), args=_FLAGS, env=home
        )
        try:
            yield browser
        finally:
            await browser.close()


class Pages:
    """The pages of one test, and what their consoles showed in red."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.faults: list[str] = []

    async def new(
        self,
        *,
        size: tuple[int, int] = LAPTOP,
        dark: bool = False,
        javascript: bool = True,
        expected: str = "",
    ) -> Page:
        """A tab with no cookies and no cache of others.

        Args:
            expected: a pattern of what its console may show in red.
        """
        context = await self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
        )
        context.set_default_timeout(WAIT_S * 1000)
        page = await context.new_page()

        def keep(fault: str) -> None:
            if not (expected and re.search(expected, fault)):
                self.faults.append(fault)

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                keep(f"{message.text} {message.location['url']}")

        page.on("console", said)
        page.on("pageerror", lambda error: keep(f"{error.message}\n{error.stack}"))
        return page

    async def close(self) -> None:
        for context in list(self._browser.contexts):
            await context.close()


async def until_true(page: Page, script: str, *, within: float = WAIT_S) -> None:
    """Waits until an expression in the page is true, also while another page replaces it."""

    async def is_true() -> bool:
        try:
            return bool(await page.evaluate(f"!!({script})"))
        except Error:
            return False

    await until(is_true, within=within, what=f"`{script}` in the page")


async def rows_of(page: Page) -> list[str]:
    """Names of what a list shows, from above."""
    names = await page.locator("#rows tr").evaluate_all("rows => rows.map((r) => r.dataset.name)")
    return [str(name) for name in names]


async def look(page: Page, *, width: int, height: int, dark: bool = False) -> None:
    """Takes a size, in CSS pixels, and a colour scheme."""
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme="dark" if dark else "light")


async def open_page(page: Page, url: str, address: str) -> None:
    """Opens a page of a site; one that answers what is sent to it has `POST` before its address,
    and the fields of the form behind it."""
    if not address.startswith("POST "):
        await page.goto(f"{url}{address}")
        return
    path, _, fields = address.removeprefix("POST ").partition("?")
    await page.goto(f"{url}/keys")
    async with page.expect_navigation():
        await page.evaluate(_SEND, [path, fields])


async def goto_when_it_answers(page: Page, url: str, *, within: float) -> None:
    """Goes to a page whose server may still be on its way."""

    async def answers() -> bool:
        try:
            await page.goto(url)
        except Error:
            return False
        return True

    await until(answers, within=within, what=f"an answer at {url}")
