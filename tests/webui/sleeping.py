"""A browser that sleeps as a laptop does when its lid is closed: frozen, and off the network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page


@asynccontextmanager
async def asleep(page: Page) -> AsyncIterator[None]:
    session = await page.context.new_cdp_session(page)
    await session.send("Page.setWebLifecycleState", {"state": "frozen"})
    await page.context.set_offline(True)
    yield
    await page.context.set_offline(False)
    await session.send("Page.setWebLifecycleState", {"state": "active"})
    await session.detach()
