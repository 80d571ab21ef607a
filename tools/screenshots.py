"""Makes the pictures in docs/images: `.venv/bin/python tools/screenshots.py [FACILITY_FILE]`.

Runs a facility as `mds run` does (the example that ships, unless a file is named), in a folder
and on ports of its own, looks at its pages with Debian's Chromium, then kills one unit server to
show what that looks like.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "proto")]

from mds.v1 import overview_pb2, state_pb2  # noqa: E402
from playwright.async_api import Page  # noqa: E402

from control_units.client import Client  # noqa: E402
from tests.stages.ports import free_port  # noqa: E402
from tests.stages.program import Program  # noqa: E402
from tests.webui.browsers import Pages, chromium, goto_when_it_answers, look, until_true  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LAPTOP = (1366, 900)
# Pages that are pictured as they come: the name of the picture, and the address. `{unit}` is a
# unit whose process is gone.
PLAIN_PAGES = {
    "edit-unit": "/{unit}/edit",
    "new-unit": "/control_units/new",
    "delete-unit": "/{unit}/delete",
    "snapshot": "/snapshots/{snapshot}?all=1",
    "begin-a-maintenance": "/maintenances/new",
    "stop-a-unit-server": "/launches/new?how=stop&unit_server={server}",
    "operations": "/operations",
}
START_SECONDS = 90
LOST_SECONDS = 60


@asynccontextmanager
async def running(folder: Path, arguments: list[str]) -> AsyncIterator[tuple[str, str]]:
    """A facility; the address of its server and the URL of its page."""
    grpc, http, page = free_port(), free_port(), free_port()
    environment = {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_STATE_HOME": str(folder / "state"),
        "MDS_GRPC_PORT": str(grpc),
        "MDS_HTTP_PORT": str(http),
        "MDS_WEB_PORT": str(page),
    }
    program = Program.mds("run", *arguments, log=folder / "run.log", environment=environment)
    program.start()
    try:
        yield f"127.0.0.1:{grpc}", f"http://127.0.0.1:{page}"
    finally:
        print(program.last_lines(8))
        await program.terminate(within=40)
        program.clear()


async def shot(page: Page, name: str, size: tuple[int, int], *, dark: bool = False) -> None:
    await look(page, width=size[0], height=size[1], dark=dark)
    # Whatever the new size has moved is drawn in the next frame.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    await page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


async def picture_all(page: Page, url: str, client: Client) -> None:
    await goto_when_it_answers(page, f"{url}/", within=START_SECONDS)
    all_good = "document.getElementById('headline')?.dataset.title === 'all good'"
    await until_true(page, all_good, within=START_SECONDS)
    await until_true(page, "document.querySelector('.beat')?.textContent")
    await shot(page, "overview-wall", (3840, 2160), dark=True)
    overview = await client.overview.GetOverview(overview_pb2.GetOverviewRequest())
    victim = overview.unit_server_summaries[0].status
    # By its own number, as it told the server: no other process is touched.
    os.kill(victim.pid, signal.SIGKILL)
    await until_true(page, "document.querySelector('.server .mark.bad')", within=LOST_SECONDS)
    await page.evaluate("document.querySelector('.server summary').click()")
    await until_true(page, "document.querySelector('.server .list')")
    await shot(page, "overview", LAPTOP)
    await shot(page, "overview-dark", LAPTOP, dark=True)
    await shot(page, "overview-phone", (390, 844))
    unit = next(
        row
        for row in (
            await client.overview.GetOverview(overview_pb2.GetOverviewRequest())
        ).abnormal_units
        if row.contact == state_pb2.CONTACT_LOST
    )
    await page.goto(f"{url}/{unit.control_unit}")
    await shot(page, "control-unit", LAPTOP)
    snapshots = [each async for each in client.snapshots.list()]
    of_it = {
        "server": victim.unit_server.partition("/")[2],
        "snapshot": snapshots[0].name.partition("/")[2] if snapshots else "none",
    }
    for name, address in PLAIN_PAGES.items():
        await page.goto(url + address.format(unit=unit.control_unit, **of_it))
        await shot(page, name, LAPTOP)
    await page.goto(f"{url}/control_units?sort=-since")
    await until_true(page, "document.querySelector('#rows .age')?.textContent")
    await shot(page, "control-units", LAPTOP)


async def take_all(folder: Path, arguments: list[str]) -> None:
    async with (
        running(folder, arguments) as (address, url),
        Client(address) as client,
        chromium(folder) as browser,
    ):
        await picture_all(await Pages(browser).new(), url, client)


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    files = [str(Path(argument).resolve()) for argument in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(take_all(Path(made), files))
