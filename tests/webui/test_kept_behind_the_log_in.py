"""What somebody sends who is no longer logged in: kept, and sent once they are."""

import json
import re
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from playwright.async_api import expect

from tests.access.conftest import Guarded, serving
from tests.webui.browsers import NewPage
from tests.webui.doors import Door, Visitor, door, one_field, revoked, type_token, visitor
from webui.access import callers


@pytest.fixture(scope="module")
def guarded(database_of_module: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    yield from serving(database_of_module, tmp_path_factory.mktemp("guarded"), count=1)


@pytest.fixture
async def page(guarded: Guarded) -> AsyncIterator[Door]:
    async with door(guarded.first.address, token=guarded.texts["viewer"]) as opened:
        yield opened


@pytest.fixture
async def anybody(page: Door) -> AsyncIterator[Visitor]:
    async with visitor(page) as browser:
        yield browser


async def test_a_revoked_token_leads_to_the_log_in_page_with_what_was_typed(
    anybody: Visitor, guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "FRESH_SECONDS", 0.0)
    new = await guarded.new_token("rosa", "expert")
    await anybody.log_in(new.text)
    await revoked(guarded, new)
    fields = {"id": "DAFNE/NEW", "description": 'two\r\nlines & "quotes"'}
    text = await anybody.post("/templates/new", fields, status=401)
    typed = re.search(r'name="typed" value="([^"]+)"', text)
    assert typed is not None
    kept = typed[1].replace("&#34;", '"').replace("&amp;", "&")
    fields = {"token": guarded.texts["expert"], "next": "/templates/new", "typed": kept}
    text = await anybody.post("/login", fields)
    assert 'action="/templates/new"' in text
    assert 'name="description" value="two\r\nlines &amp; &#34;quotes&#34;"' in text
    assert "in the name of expert" in text


async def test_a_text_to_import_is_kept_when_the_server_itself_refuses_the_token(
    anybody: Visitor, guarded: Guarded
) -> None:
    new = await guarded.new_token("rosa", "expert")
    await anybody.log_in(new.text)
    await revoked(guarded, new)
    text = await anybody.post("/import", {"text": "id,template\r\nA,B\r\n"}, status=401)
    assert "id,template\\r\\nA,B" in text


@pytest.mark.parametrize("fresh_s", [0.0, 30.0], ids=["at the door", "by the server"])
@pytest.mark.parametrize("rows", [1, 100], ids=["a small file", "a large file"])
async def test_a_file_that_was_chosen_comes_back_after_logging_in(
    anybody: Visitor, guarded: Guarded, monkeypatch: pytest.MonkeyPatch, fresh_s: float, rows: int
) -> None:
    monkeypatch.setattr(callers, "FRESH_SECONDS", fresh_s)
    new = await guarded.new_token("rosa", "expert")
    await anybody.log_in(new.text)
    await revoked(guarded, new)
    table = "".join(f"A/{row},Unknown,{'x' * 2_500}\n" for row in range(rows))
    table = f"id,template,description\n{table}"
    form = aiohttp.FormData({"reason": "from the shift", "text": ""})
    form.add_field("file", table.encode(), filename="magnets.csv", content_type="text/csv")
    typed = one_field(await anybody.post("/import", form, status=401), "typed")
    fields = {"token": guarded.texts["expert"], "next": "/import", "typed": typed}
    asked = await anybody.post("/login", fields)
    names = ("text", "packed", "name", "reason")
    back = {name: one_field(asked, name) for name in names if f'name="{name}"' in asked}
    page = await anybody.post("/import", back, status=422)
    assert "magnets.csv" in page


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_only_of_those_who_were_logged_in_much_is_kept(
    anybody: Visitor, guarded: Guarded, page: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of others the page would hold it before it has asked who they are."""
    monkeypatch.setattr(callers, "FRESH_SECONDS", 0.0)
    much = {"text": "id,template\n" + "A" * 3 * 2**20}
    new = await guarded.new_token("rosa", "expert")
    cookie = f"mds_token_{page.url.rpartition(':')[2]}"
    anybody.http.cookie_jar.update_cookies({cookie: f"{new.text[:-8]}{'0' * 8}"})
    assert "too large" in await anybody.post("/import", much, status=401)
    typed = {"next": "/import", "typed": json.dumps(list(much.items()))}
    assert "too large" in await anybody.post("/login", {"token": "x"} | typed, status=401)
    assert "too large" in await anybody.post("/login", typed, status=413)

    await anybody.log_in(new.text)
    await revoked(guarded, new)
    asked = await anybody.post("/import", much, status=401)
    for token, status in (("x", 401), (guarded.texts["expert"], 200)):
        (action,) = re.findall(r'action="(/login\?much=[^"]+)"', asked)
        again = {"token": token, "typed": one_field(asked, "typed"), "next": "/import"}
        asked = await anybody.post(action, again, status=status)
    assert one_field(asked, "text") == much["text"]


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_what_was_typed_comes_back_whichever_web_process_answers_the_log_in(
    anybody: Visitor, guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "FRESH_SECONDS", 0.0)
    much = {"text": "id,template\n" + "A" * 3 * 2**20}
    new = await guarded.new_token("rosa", "expert")
    await anybody.log_in(new.text)
    await revoked(guarded, new)
    asked = await anybody.post("/import", much, status=401)
    (action,) = re.findall(r'action="(/login\?much=[^"]+)"', asked)
    assert asked.index('name="token"') < asked.index('name="typed"')
    typed = {"next": one_field(asked, "next"), "typed": one_field(asked, "typed")}
    async with door(guarded.first.address) as other, visitor(other) as browser:
        back = await browser.post(action, {"token": guarded.texts["expert"], **typed})
    assert one_field(back, "text") == much["text"]


async def test_a_large_form_of_who_is_logged_out_stays_on_its_page_until_it_is_taken(
    guarded: Guarded, new_page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No web process need keep it behind the log-in page, also one that never saw this token."""
    monkeypatch.setattr(callers, "FRESH_SECONDS", 60.0)  # what it remembers does not count
    rosa = await guarded.new_token("rosa", "expert")
    page = await new_page(expected="401|422")
    async with door(guarded.first.address) as opened:
        await page.goto(f"{opened.url}/import")
        await type_token(page, rosa.text)
        text = page.locator("textarea[name=text]")
        await text.evaluate("(field) => (field.value = `id,template\\n${'A'.repeat(3_000_000)}`)")
        await revoked(guarded, rosa)
        await page.locator("[data-look]").click()
        await expect(page.locator("#out")).to_be_visible()
        assert len(await text.input_value()) > 3_000_000
        async with page.context.expect_page() as another:
            await page.locator("#out a").click()
        await type_token(await another.value, guarded.texts["expert"])
        await expect((await another.value).locator(".account summary")).to_contain_text("expert")
        await page.locator("[data-look]").click()
        await expect(page.locator(".problems").first).to_be_visible()
        await expect(page).to_have_url(f"{opened.url}/import")
