"""A declared facility and its pages, started once for all tests of a module."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import Site, running_site
from tests.webui.facility import declare_facility

UNITS = 24


@asynccontextmanager
async def looked_at(folder: Path) -> AsyncIterator[Site]:
    replica = Replica(f"sqlite:///{folder / 'mds.sqlite'}", folder)
    try:
        await replica.start()
        async with Client(replica.address) as client:
            await declare_facility(client, UNITS)
            async with running_site(replica.address, follow=True) as site:
                await until(lambda: site.hub.picture.link == "live", what="the first picture")
                yield site
    finally:
        replica.program.clear()
