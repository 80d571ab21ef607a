"""Hands on the keyboard, in a real browser and beside a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.requirements import needs
from tests.webui.chromium import what_is_missing
from tests.webui.looked_at import LookedAt, looked_at

CODES = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}
CTRL = 2
LOADED = "document.readyState === 'complete'"


@pytest.fixture
async def looking(tmp_path: Path) -> AsyncIterator[LookedAt]:
    needs(what_is_missing())
    async with looked_at(tmp_path) as started:
        yield started


async def press(looking: LookedAt, key: str, *, modifiers: int = 0) -> None:
    text = {"Enter": "\r"}.get(key, key if len(key) == 1 and not modifiers else "")
    number = CODES.get(key, ord(key[0].upper()))
    for kind in ("keyDown", "keyUp"):
        await looking.page.call(
            "Input.dispatchKeyEvent",
            type=kind,
            key=key,
            code=key,
            text=text if kind == "keyDown" else "",
            modifiers=modifiers,
            windowsVirtualKeyCode=number,
        )


async def write(looking: LookedAt, text: str) -> None:
    await looking.page.call("Input.insertText", text=text)


async def test_hands_stay_on_the_keyboard(looking: LookedAt) -> None:
    page = looking.page
    await looking.open("/")

    # g and a letter go to a page of the header.
    await press(looking, "g")
    await press(looking, "u")
    await page.until(f"location.pathname === '/control_units' && {LOADED}")

    # Rows: down, down, up; tick; the filter; open.
    here = "document.querySelector('tr[data-here]')?.querySelector('a').innerText"
    first = "document.querySelector('#list tbody tr a').innerText"
    await page.until(first)
    for key in "jjk":
        await press(looking, key)
    assert await page.evaluate(here) == await page.evaluate(first)
    await press(looking, "x")
    assert await page.evaluate("document.querySelector('tr[data-here] input').checked")
    await press(looking, "/")
    assert await page.evaluate("document.activeElement.name") == "q"
    # What is typed into a field is text, and no key.
    await press(looking, "j")
    assert await page.evaluate("document.activeElement.value") == "j"
    await page.evaluate("document.activeElement.blur()")
    await looking.open("/control_units")
    await press(looking, "j")
    await press(looking, "Enter")
    await page.until(f"location.pathname.startsWith('/control_units/BTF/') && {LOADED}")

    # Help.
    await press(looking, "?")
    await page.until("document.querySelector('dialog[open] table.keys')")
    await press(looking, "Escape")
    await page.until("!document.querySelector('dialog')")
    assert page.faults == []


async def test_the_palette_finds_what_is_called_so_and_goes_there(looking: LookedAt) -> None:
    page = looking.page
    await looking.open("/keys")
    await press(looking, "k", modifiers=CTRL)
    await page.until("document.activeElement?.name === 'q'")
    finds = "[...document.querySelectorAll('dialog .finds a')].map((a) => a.pathname)"
    assert "/conditions" in await page.evaluate(finds)
    await write(looking, "linac mag")
    await page.until(f"{finds}.includes('/unit_servers/LINAC/MAGNETS')")
    assert sum("/control_units/LINAC/" in each for each in await page.evaluate(finds)) == 6
    await press(looking, "ArrowDown")
    await press(looking, "ArrowDown")
    second = await page.evaluate("document.activeElement.pathname")
    assert second == (await page.evaluate(finds))[1]
    await press(looking, "Enter")
    await page.until(f"location.pathname === {second!r}")
    assert page.faults == []


async def test_the_palette_is_a_page_as_well(looking: LookedAt) -> None:
    text = await looking.site.text("/palette?q=camera")
    assert 'href="/templates/Camera"' in text
    assert 'href="/templates/PowerSupply"' not in text
    assert 'href="/agents/host-1"' in await looking.site.text("/palette?q=host")
    nothing = await looking.site.text("/palette?q=%22)<b>")
    assert "Nothing is called so" in nothing
    assert "No answer about" not in nothing
    assert "<b>" not in nothing
