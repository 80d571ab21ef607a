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
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "proto")]

from mds.v1 import overview_pb2, state_pb2, template_pb2  # noqa: E402
from mds.v1.maintenance_pb2 import CreateMaintenanceRequest, Maintenance  # noqa: E402
from mds.v1.operation_pb2 import ORDER_VERB_STOP  # noqa: E402
from mds.v1.snapshot_pb2 import SetSnapshotValuesRequest, ValueToSet  # noqa: E402
from playwright.async_api import Page  # noqa: E402

from control_units.client import Client  # noqa: E402
from tests.stages.ports import free_port  # noqa: E402
from tests.stages.program import Program  # noqa: E402
from tests.webui.browsers import (  # noqa: E402
    Pages,
    chromium,
    goto_when_it_answers,
    look,
    open_page,
    until_true,
)

IMAGES = ROOT / "docs" / "images"
LAPTOP = (1366, 900)
# Pages that are pictured as they come: the name of the picture, and the address. `{unit}` is a
# unit whose process is gone, `{server}` its unit server, `{well}` a unit that runs. Whoever makes a
# page adds it; one that answers a form, with `POST` before it and the fields behind it.
PLAIN_PAGES = {
    "unit-servers": "/unit_servers",
    "unit-server": "/unit_servers/{server}",
    "stop-a-unit-server": "/launches/new?how=stop&unit_server={server}",
    "agents": "/agents",
    "agent": "/agents/{agent}",
    "templates": "/templates",
    "template": "/{template}",
    "edit-template": "/{template}/edit",
    "edit-unit": "/{unit}/edit",
    "new-unit": "/control_units/new",
    "delete-unit": "/{unit}/delete",
    "history": "/{well}/history",
    "past": "/{well}?as_of={revision}",
    "edit-together": "/datasets/edit?filter=template%3D{template_id}",
    "import": "/import",
    "order": "/operations/new?verb=stop&filter=zone%3DRING&whole=1",
    "operations": "/operations",
    "steer-operations": "/operations/steer?how=pause&all=1",
    "end-maintenances": "/maintenances/end?all=1",
    "operation": "/{operation}",
    "snapshots": "/snapshots",
    "snapshot": "/snapshots/{snapshot}?all=1",
    "maintenances": "/maintenances",
    "begin-a-maintenance": "/maintenances/new",
    "changes": "/changes",
    "change": "/change_sets/{revision}",
    "conditions": "/conditions",
    "topology": "/topology",
    "palette": "/palette?q=quad",
    "keys": "/keys",
    "wall": "/?wall",
    "tokens": "/tokens",
    "new-token": "POST /tokens?principal=nina&role=operator&days=30",
    "conflict": "POST /{well}/edit?etag=1&revision=1&description=Aligned+in+autumn.",
    "compare": "/{well}/compare?from=1&to=",
    "revert": "/{well}/revert?to=1",
    "undo": "/change_sets/{changed}/undo",
    "edit-together-plan": "POST /datasets/edit?filter=template%3D{template_id}&do:level=set&to:level=2",
    "delete-many": "/datasets/delete?filter=zone%3DRING&whole=1",
    "move-units": "/{template}/rebase?version=2&whole=1",
    "import-plan": "POST /import?text=id,description%0A{well_id},Aligned",
    "restore": "POST /snapshots/{snapshot}/restore?every=1",
}
START_SECONDS = 90
LOST_SECONDS = 60


@asynccontextmanager
async def running(
    folder: Path, arguments: list[str], **settings: str
) -> AsyncIterator[tuple[str, str]]:
    """A facility; the address of its server and the URL of its page."""
    grpc, http, page = free_port(), free_port(), free_port()
    environment = {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_STATE_HOME": str(folder / "state"),
        "MDS_GRPC_PORT": str(grpc),
        "MDS_HTTP_PORT": str(http),
        "MDS_WEB_PORT": str(page),
        **settings,
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


async def names_of(client: Client, server: str, gone: str) -> dict[str, str]:
    """What the addresses of PLAIN_PAGES name; makes a change and an operation to look at."""
    units = [each async for each in client.control_units.list()]
    well = next(each for each in units if each.unit_server not in ("", server))
    well.etag, well.description = "*", f"{well.description} Aligned in spring."
    changed = await client.control_units.update(well, "description", reason="The survey is done")
    newer = template_pb2.Template(name=well.template, etag="*", description="With a new firmware.")
    await client.templates.update(newer, "description", reason="The firmware is new")
    near = [each.name.partition("/")[2] for each in units if each.unit_server == well.unit_server]
    order = await client.operations.order(ORDER_VERB_STOP, near[:6], reason="Access to the hall")
    (snapshot,) = [each async for each in client.snapshots.list()]
    unit = snapshot.units[0]
    value = ValueToSet(
        control_unit=unit.control_unit,
        attribute=unit.values[0].attribute,
        value=f"{float(unit.values[0].value) * 1.01:.2f}",
    )
    await client.snapshots.SetSnapshotValues(
        SetSnapshotValuesRequest(name=snapshot.name, values=[value], reason="The tune is better so")
    )
    tomorrow = Maintenance(
        name="maintenances/cooling", description="A new pump", id_prefixes=["RING/"]
    )
    tomorrow.begin_time.FromDatetime(datetime.now(UTC) + timedelta(days=1))
    await client.maintenances.CreateMaintenance(
        CreateMaintenanceRequest(maintenance=tomorrow, reason="The old one leaks")
    )
    agent, *_ = [each async for each in client.agents.list()]
    return {
        "unit": gone,
        "server": server.partition("/")[2],
        "well": well.name,
        "well_id": well.name.partition("/")[2],
        "changed": str(changed.revision),
        "template": well.template,
        "template_id": well.template.partition("/")[2],
        "agent": agent.name.partition("/")[2],
        "snapshot": snapshot.name.partition("/")[2],
        "operation": order.operation.name,
        "revision": "1",
    }


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
    names = await names_of(client, victim.unit_server, unit.control_unit)
    for name, address in PLAIN_PAGES.items():
        await open_page(page, url, address.format(**names))
        await until_true(page, "document.querySelector('[data-as-of], #clock:not(:empty)')")
        await shot(page, name, LAPTOP)
    await page.goto(f"{url}/control_units?sort=-since")
    await until_true(page, "document.querySelector('#rows .age')?.textContent")
    await shot(page, "control-units", LAPTOP)
    await page.goto(f"{url}/control_units")
    await shot(page, "control-units-phone", (390, 844))


async def take_all(folder: Path, arguments: list[str]) -> None:
    async with (
        running(folder, arguments) as (address, url),
        Client(address) as client,
        chromium(folder) as browser,
    ):
        await picture_all(await Pages(browser).new(), url, client)


async def take_log_in(folder: Path, arguments: list[str]) -> None:
    """Of a facility that asks who comes: nobody is shown that page elsewhere."""
    async with (
        running(folder, arguments, MDS_AUTHENTICATION="token") as (_, url),
        chromium(folder) as browser,
    ):
        page = await Pages(browser).new(expected="401")
        await goto_when_it_answers(page, f"{url}/login", within=START_SECONDS)
        await shot(page, "login", LAPTOP)


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    files = [str(Path(argument).resolve()) for argument in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as made:
        for name, take in (("open", take_all), ("asked", take_log_in)):
            (Path(made) / name).mkdir()
            asyncio.run(take(Path(made) / name, files))
