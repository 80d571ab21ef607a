"""A declared facility, its pages and a browser, started once for all tests of a module."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.chromium import Page, chromium
from tests.webui.conftest import Site, running_site
from tests.webui.facility import declare_facility

UNITS = 24


@dataclass
class LookedAt:
    site: Site
    page: Page
    client: Client

    async def open(self, path: str) -> None:
        await self.page.open(f"{self.site.url}{path}")


@asynccontextmanager
async def looked_at(folder: Path) -> AsyncIterator[LookedAt]:
    replica = Replica(f"sqlite:///{folder / 'mds.sqlite'}", folder)
    try:
        await replica.start()
        async with (
            Client(replica.address) as client,
            running_site(replica.address, 10) as site,
            chromium(folder) as browser,
        ):
            await declare_facility(client, UNITS)
            following = asyncio.create_task(site.feed.run())
            await until(lambda: site.hub.picture.link == "live", what="the first picture")
            yield LookedAt(site, await browser.page(), client)
            # A task group that fails at the same moment takes the first cancellation away.
            while not following.done():
                following.cancel()
                await asyncio.wait([following], timeout=1)
    finally:
        replica.program.clear()
