"""Style sheets and scripts: kept for ever under a name that says what they are."""

import re

import pytest

from tests.webui.conftest import OpenSite
from webui.assets import Assets, read_assets

# All that a browser without anything loads for its first page, compressed, in bytes.
MOST_AT_FIRST = 150_000


async def test_a_browser_keeps_what_a_page_names(open_site: OpenSite) -> None:
    site = await open_site()
    urls = re.findall(r'"(/static/[^"]+)"', await site.text("/"))
    assert len(urls) >= 4
    for url in urls:
        async with site.http.get(url) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_first_page_and_all_it_needs_are_small(open_site: OpenSite) -> None:
    site = await open_site()
    # Modules that modules import are counted as well: every script of ours is.
    named = {
        url.partition("/static/")[2].partition("/")[2]
        for url in re.findall(r'"(/static/[^"]+)"', await site.text("/"))
    }
    sent = 0
    async with site.http.get("/") as page:
        sent += int(page.headers.get("Content-Length", len(await page.read())))
    assets = read_assets()
    for path in {
        *named,
        *(path for path in assets.paths if path.endswith(".js") and "/" not in path),
    }:
        async with site.http.get(assets.url(path)) as answer:
            sent += int(answer.headers["Content-Length"])
    assert sent < MOST_AT_FIRST, f"{sent} bytes"


async def test_a_file_under_an_old_name_is_the_new_one_and_is_not_kept(open_site: OpenSite) -> None:
    site = await open_site()
    async with site.http.get("/static/page.css") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
    await site.text("/static/000000000000/page.css", status=404)
    await site.text("/static/../assets.py", status=404)


async def test_who_cannot_decompress_gets_a_file_as_it_is(open_site: OpenSite) -> None:
    site = await open_site()
    async with site.http.get("/static/page.css", headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        assert (await answer.text()).startswith("/*")


def test_another_content_has_another_name() -> None:
    files = read_assets()
    assert files.url("page.css") == read_assets().url("page.css")
    assert Assets({}).digest != files.digest
    with pytest.raises(KeyError, match=r"pag\.css"):
        files.url("pag.css")
