"""Every page, held against WCAG 2.2 AA by axe and against HTML by the Nu checker.

Whoever adds a page adds it to PAGES; one that answers what is sent to it, with `POST` before it
and the fields of the form behind it.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.stages.requirements import needs
from tests.webui.browsers import NewPage, look, open_page
from tests.webui.conftest import Site, running_site
from tests.webui.looked_at import looked_at
from tests.webui.npm import java_is_missing, npm_is_missing, packages
from webui.snapshots import pages as snapshot_pages

PAGES = [
    "/",
    "/?group=template&range=24h",
    "/?wall",
    "/topology",
    "/control_units",
    "/control_units?q=nothing-is-called-so",
    "/unit_servers",
    "/agents",
    "/templates",
    "/operations",
    "/snapshots",
    "/changes",
    "/conditions",
    "/control_units/BTF/MAG/PS0002",
    "/control_units/BTF/MAG/PS0002?saved=1",
    "/control_units/BTF/MAG/PS0002/edit",
    "/control_units/BTF/MAG/PS0002/history",
    "/control_units/BTF/MAG/PS0002/rename",
    "/control_units/BTF/MAG/PS0002/delete",
    "/control_units/new?template=PowerSupply",
    "/datasets/delete?filter=zone%3DBTF",
    "/datasets/delete?filter=zone%3DBTF&whole=1",
    "POST /datasets/delete?filter=zone%3DBTF&count=100&typed_count=100&deleted=10&change=1",
    "POST /datasets/delete?filter=zone%3DGONE&count=100&typed_count=100&deleted=100&change=1",
    "/unit_servers/BTF/MAGNETS/edit",
    "/templates/PowerSupply/delete",
    "/control_units/BTF/MAG/PS0005/compare?from=1&to=",
    "POST /control_units/BTF/MAG/PS0005/edit?etag=1&revision=1&description=mine",
    "POST /datasets/edit?filter=zone%3DBTF&do:level=set&to:level=2",
    "POST /import?text=id,description%0ABTF/MAG/PS0002,warm",
    "/change_sets/1",
    "/change_sets/1/undo",
    "/datasets/edit?filter=zone%3DBTF",
    "/import",
    "/operations/new?verb=start&filter=zone%3DBTF",
    "/operations/new?verb=start&filter=zone%3DBTF&whole=1",
    "/templates/PowerSupply",
    "/templates/PowerSupply/edit",
    "/unit_servers/BTF/MAGNETS",
    "/agents/host-1",
    "/agents/host-1?as_of=1",
    "/launches/new?how=stop&unit_server=BTF/MAGNETS",
    "/operations?q=verb%3DSTART",
    "/operations/new",
    "/operations/{operation}",
    "/snapshots/new?filter=zone%3DBTF",
    "/snapshots/night?with=configured&all=1",
    "/maintenances",
    "/maintenances/new?id=BTF/MAG/PS0002",
    "/maintenances/cooling",
    "/maintenances/cooling/edit",
    "/keys",
    "/tokens",
    "/palette?q=mag",
    "/palette?q=dark",
    "/no/such/page",
    "/?as_of=1",
    "/topology?as_of=1",
    "/unit_servers/BTF/MAGNETS?as_of=1",
    "/control_units/BTF/MAG/PS0002?as_of=1",
    "/control_units?as_of=2026-11-15T03:12:00%2B01:00",
]
# What they are made of stands on pages above, too: they are looked at on a telephone in the dark.
MADE_ALIKE = [
    "/control_units/BTF/MAG/PS0005/revert?to=1",
    "POST /control_units/BTF/MAG/PS0002/rename?new_id=BTF/MAG/PS0005&etag=*",
    "POST /control_units/BTF/MAG/GONE/edit?etag=1&revision=1&description=mine",
    "/operations/steer?how=pause&filter=verb%3DSTART",
    "/maintenances/end?id=cooling",
    "/operations?ordered_count=2",
    "/templates/PowerSupply/publish",
    "/datasets/delete?of=templates&id=Camera",
    "/templates/Camera/rebase?version=2&whole=1",
    "POST /import?text=id,level%0ABTF/MAG/PS0002,high",
    "POST /snapshots/night/restore?every=1",
    "POST /tokens?principal=nina&role=viewer&days=30",
    "/tokens/{token}/revoke",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CHECK = """
axe.run(document, {runOnly: {type: "tag", values: TAGS}, resultTypes: ["violations"]}).then((found) =>
  found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")}`))
""".replace("TAGS", json.dumps(TAGS))
HTMX_ATTRIBUTE = re.compile("Attribute “hx-[a-z-]+” not allowed")
CHECKER_SECONDS = 90
# Java that does not polish code which runs for seconds: less than half of the processor time. Its
# plain code needs a larger stack.
SHORT_LIVED = ("-Xmx300m", "-Xss8m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Tests run side by side, and this is the longest of all.
PARTS = 4
NOT_TO_BE_SEEN = "document.documentElement.scrollWidth - innerWidth"
# As wide as a wall, and no higher than it takes: drawing it all took a tenth of the time of the test.
WALL = (3840, 400)
# What is a target for a finger, and smaller than WCAG 2.2 (2.5.8) allows; links in a sentence are
# as wide as their words.
TOO_SMALL = """
[...document.querySelectorAll("main :is(a, button, input:not([type=hidden]), select, summary)")]
  .filter((e) => e.checkVisibility())
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([, box]) => box.height && box.width < 23.5 && box.height < 23.5)
  .map(([e, box]) => `${e.outerHTML.slice(0, 80)}: ${box.width.toFixed(1)} × ${box.height.toFixed(1)} px`)
"""
# What moves stands still: while something fades, nobody can tell how well it can be read.
STAND_STILL = """
document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime < Infinity).forEach((a) => a.finish())
"""
SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
LOOKS = ((False, "laptop"), (True, "phone"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    needs(npm_is_missing())
    async with looked_at(tmp_path_factory.mktemp("accessibility")) as started:
        yield started


async def addresses(site: Site) -> list[str]:
    """Of all PAGES and those MADE_ALIKE, with the ids of the operation and the token."""
    found = re.search(r'href="/operations/(2[^"]+)"', await site.text("/operations"))
    token = re.search(r'href="/tokens/([^/"]+)/revoke"', await site.text("/tokens"))
    assert found
    assert token
    (saved,) = (path for path in PAGES if "?saved=" in path)
    assert "Saved, as change" in await site.text(saved)
    return [path.format(operation=found[1], token=token[1]) for path in (*PAGES, *MADE_ALIKE)]


async def markup(site: Site, address: str) -> bytes:
    path, _, fields = address.removeprefix("POST ").partition("?")
    if address.startswith("POST "):
        answering = site.http.post(path, data=dict(parse_qsl(fields)))
    else:
        answering = site.http.get(address)
    async with answering as answer:
        return await answer.read()


async def violations(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(CHECK)
    return [*found, *await too_wide(page)]


async def too_wide(page: Page) -> list[str]:
    """Tables may scroll in their own frames; a page may not."""
    hidden = await page.evaluate(NOT_TO_BE_SEEN)
    return [f"{hidden} px can be seen only by scrolling sideways"] if hidden > 0 else []


@pytest.mark.timeout(300)  # each page twice, and axe looks at every element
@pytest.mark.parametrize("part", range(PARTS))
async def test_no_page_keeps_anybody_out_in_either_theme(
    site: Site, new_page: NewPage, part: int
) -> None:
    page = await new_page(expected="404|409|410|412|422|503")
    await page.context.add_init_script((packages() / "axe-core" / "axe.min.js").read_text())
    wrong: dict[str, list[str]] = {}
    # A form that goes on by itself would do so while it is looked at.
    await page.route("**/again.js", lambda route: route.fulfill(content_type="text/javascript"))
    for number, path in list(enumerate(await addresses(site)))[part::PARTS]:
        # Before it is opened: else it is drawn first as large as the page before.
        await look(page, width=SIZES["laptop"][0], height=SIZES["laptop"][1])
        await open_page(page, site.url, path)
        for dark, name in LOOKS[number >= len(PAGES) :]:
            await look(page, width=SIZES[name][0], height=SIZES[name][1], dark=dark)
            await page.evaluate(STAND_STILL)
            found = await violations(page)
            found += await page.evaluate(TOO_SMALL) if name == "phone" else []
            if found:
                wrong[f"{path} on a {name}, {'dark' if dark else 'light'}"] = found
        await look(page, width=WALL[0], height=WALL[1])
        if found := await too_wide(page):
            wrong[f"{path} on a wall"] = found
    assert not wrong, json.dumps(wrong, indent=1)


async def test_what_no_server_has_answered_keeps_nobody_out(
    new_page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(npm_is_missing())
    monkeypatch.setattr(snapshot_pages, "READ_SECONDS", 0.5)
    page = await new_page(expected="502|503|504")
    await page.context.add_init_script((packages() / "axe-core" / "axe.min.js").read_text())
    async with running_site() as site:
        await open_page(page, site.url, "POST /snapshots/night/delete?reason=typed")
        await expect(page.locator("main")).to_contain_text("typed")
        for dark, name in LOOKS:
            await look(page, width=SIZES[name][0], height=SIZES[name][1], dark=dark)
            await page.evaluate(STAND_STILL)
            assert await violations(page) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_every_page_is_html_without_an_error(site: Site, tmp_path: Path) -> None:
    needs(java_is_missing())
    for number, path in enumerate(await addresses(site)):
        (tmp_path / f"{number:02}.html").write_bytes(await markup(site, path))
    pages = sorted(map(str, tmp_path.glob("*.html")))
    jar = packages() / "vnu-jar" / "build" / "dist" / "vnu.jar"
    checker = await asyncio.create_subprocess_exec(
        *("java", *SHORT_LIVED, "-jar", str(jar), "--errors-only", "--format", "json", *pages),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(CHECKER_SECONDS):
        _, output = await checker.communicate()
    # htmx's own attributes are known to be none of HTML's.
    said = [m for m in json.loads(output)["messages"] if not HTMX_ATTRIBUTE.match(m["message"])]
    faults = [
        f"{(*PAGES, *MADE_ALIKE)[int(Path(m['url']).stem)]}: {m['message']} … {m.get('extract')}"
        for m in said
    ]
    assert not faults, "\n".join(faults)
