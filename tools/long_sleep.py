"""Lets a browser sleep for ten minutes: `.venv/bin/python tools/long_sleep.py [SECONDS]`.

Tests do so for a moment only. Units change all the while, so that the web server has long
forgotten the picture that the browser fell asleep with.
"""

import asyncio
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "proto")]

from tests.webui.browsers import Pages, chromium, until_true  # noqa: E402
from tests.webui.control_room import (  # noqa: E402
    QUADRUPOLES,
    ControlRoom,
    describe,
    running_control_room,
)
from tests.webui.sleeping import asleep  # noqa: E402

TEN_MINUTES_S = 600.0
CHANGE_EVERY_S = 2.0
CURRENT = '[name="overrides[current].default_value"]'


async def sleep_so_long(room: ControlRoom, pages: Pages, seconds: float) -> None:
    looks, types = await pages.new(), await pages.new()
    watched, edited = QUADRUPOLES[:2]
    await looks.goto(f"{room.url}/control_units/{watched}")
    await until_true(looks, "document.body.dataset.link === 'live'")
    await looks.evaluate("window.mine = 'not loaded again'")
    await types.goto(f"{room.url}/control_units/{edited}/edit")
    await types.locator(CURRENT).fill("33.5")
    words = ""
    with asleep():
        end = time.monotonic() + seconds
        for number in count():
            words = f"change {number} while it slept"
            await describe(room.client, watched, words)
            if time.monotonic() > end:
                break
            await asyncio.sleep(CHANGE_EVERY_S)
    woke = time.monotonic()
    await until_true(looks, f"document.querySelector('main').innerText.includes({words!r})")
    print(f"slept {seconds:.0f} s; {words!r} was on the page {time.monotonic() - woke:.1f} s after")
    assert await looks.evaluate("window.mine") == "not loaded again"
    await types.click("form.editing button.main")
    await types.wait_for_selector("[data-saved]")
    print("what was typed before the sleep is saved")
    print("\n".join(pages.faults))


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        database = f"sqlite:///{folder / 'mds.sqlite'}"
        async with (
            running_control_room(database, folder, with_dafne=False, replicas=1) as room,
            chromium(folder) as browser,
        ):
            await sleep_so_long(room, Pages(browser), seconds)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else TEN_MINUTES_S))
