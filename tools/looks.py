"""Looks at all pages of a facility as people do: `.venv/bin/python tools/looks.py FOLDER [FACILITY_FILE]`.

Opens each page on a phone, a laptop, a desk and a wall, light and dark, in each language, and names
what does not fit: a page that scrolls sideways, a header whose parts lie over each other, a text that
is cut off. The pictures go to FOLDER; somebody has to look at them.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "proto"), str(ROOT / "tools")]

from mds.v1.control_unit_pb2 import ListControlUnitsRequest  # noqa: E402
from playwright.async_api import Page  # noqa: E402
from screenshots import START_SECONDS, running  # noqa: E402

from control_units.client import Client  # noqa: E402
from tests.stages.ports import free_port  # noqa: E402
from tests.stages.program import Program  # noqa: E402
from tests.webui.browsers import (  # noqa: E402
    Pages,
    chromium,
    goto_when_it_answers,
    look,
    until_true,
)
from webui.translation import ENGLISH, languages  # noqa: E402

SIZES = {"phone": (390, 844), "laptop": (1366, 768), "desk": (1920, 1080), "wall": (3840, 2160)}
# Another language is another length of words: that shows where there is little room.
TIGHT = ("phone", "laptop")
# What does not fit, in words.
MISFITS = """
() => {
  const wrong = [];
  const room = document.documentElement.clientWidth;
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}${e.className && e.className.baseVal === undefined ? "." + e.className : ""}`.slice(0, 60);
  if (document.documentElement.scrollWidth > room) {
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > room + 1
      && e.checkVisibility() && !e.closest(".scroll, header nav, pre, .glyphs, .skip"));
    wrong.push(`scrolls sideways: ${wide.slice(0, 3).map(name).join(", ")}`);
  }
  const parts = [...document.querySelectorAll("header > *, .header-tools > *")].filter((e) => e.checkVisibility() && !e.matches(".header-tools"));
  const boxes = parts.map((e) => [name(e), e.getBoundingClientRect()]);
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    if (p.left < q.right - 2 && q.left < p.right - 2 && p.top < q.bottom - 2 && q.top < p.bottom - 2) wrong.push(`over each other: ${a}, ${b}`);
  }));
  for (const e of document.querySelectorAll("button, .button, summary, th, .mark, h1, h2, label, td")) {
    if (e.checkVisibility() && e.scrollWidth > e.clientWidth + 2 && e.clientWidth && getComputedStyle(e).display !== "inline"
        && getComputedStyle(e).overflowX !== "auto") wrong.push(`cut off: ${name(e)} ${e.textContent.trim().slice(0, 30)}`);
  }
  for (const e of document.querySelectorAll("main a, main button, main input:not([type=hidden]), main select, main summary")) {
    const box = e.getBoundingClientRect();
    if (e.checkVisibility() && box.height && box.height < 23.5 && box.width < 23.5) wrong.push(`too small: ${name(e)}`);
  }
  return [...new Set(wrong)].slice(0, 6);
}
"""


def pages_of(unit: str, server: str, template: str) -> list[str]:
    """Whoever adds a page adds it here."""
    zone = unit.partition("/")[0]
    return [
        "/", "/?wall", "/control_units", "/control_units?q=nothing-is-called-so", "/unit_servers",
        "/agents", "/templates", "/operations", "/snapshots", "/changes", "/conditions", "/maintenances",
        "/policies", "/keys", "/palette?q=mag", "/no/such/page", "/login",
        f"/control_units/{unit}", f"/control_units/{unit}/edit", f"/control_units/{unit}/history",
        f"/unit_servers/{server}", f"/templates/{template}", f"/templates/{template}/edit",
        "/change_sets/1", f"/datasets/edit?filter=zone%3D{zone}",
        f"/operations/new?verb=stop&filter=zone%3D{zone}&whole=1",
        "/operations/steer?how=pause&all=1", "/topology", "/import", "/maintenances/new", "/maintenances/end?all=1", "/control_units/new", "/agents/LINAC-HALL",
        "/?as_of=2", f"/control_units/{unit}?as_of=2", "/operations?as_of=2", "/control_units?as_of=2",
    ]  # fmt: skip


async def paths(address: str) -> list[str]:
    async with Client(address) as client:
        listed = await client.control_units.ListControlUnits(ListControlUnitsRequest(page_size=1))
        unit = listed.control_units[0]
    ids = [name.partition("/")[2] for name in (unit.name, unit.unit_server, unit.template)]
    return pages_of(*ids)


@asynccontextmanager
async def speaking(language: str, address: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a page in this language."""
    port = free_port()
    environment = {"MDS_ADDRESS": address, "MDS_WEB_PORT": str(port), "MDS_WEB_LANGUAGE": language}
    program = Program.mds("web", log=folder / f"web-{language}.log", environment=environment)
    program.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await program.terminate(within=10)
        program.clear()


async def look_at(page: Page, url: str, path: str, language: str, folder: Path) -> int:
    """Pictures of one page; how much of it does not fit."""
    await page.goto(f"{url}{path}")
    name = re.sub(r"[^\w]+", "-", path).strip("-") or "overview"
    count = 0
    for size, (width, height) in SIZES.items():
        if language != ENGLISH and size not in TIGHT:
            continue
        for dark in (False, True) if language == ENGLISH and size in TIGHT else (False,):
            await look(page, width=width, height=height, dark=dark)
            label = f"{name}.{language}.{size}{'.dark' if dark else ''}"
            await page.screenshot(path=folder / f"{label}.png", full_page=size == "phone")
        for misfit in await page.evaluate(MISFITS):
            print(f"{label}: {misfit}")
            count += 1
    return count


async def look_at_all(folder: Path, facility: list[str]) -> int:
    with tempfile.TemporaryDirectory() as made:
        async with AsyncExitStack() as stack:
            address, _url = await stack.enter_async_context(running(Path(made), facility))
            browser = await stack.enter_async_context(chromium(Path(made)))
            page = await Pages(browser).new()
            count = 0
            for language in languages():
                url = await stack.enter_async_context(speaking(language, address, Path(made)))
                await goto_when_it_answers(page, f"{url}/", within=START_SECONDS)
                await until_true(page, "document.querySelector('.beat')?.textContent", within=60)
                for path in await paths(address):
                    count += await look_at(page, url, path, language, folder)
    return count


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    sys.exit(1 if asyncio.run(look_at_all(target, sys.argv[2:])) else 0)
