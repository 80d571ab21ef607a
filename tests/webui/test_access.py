"""The page where the server asks for tokens: who comes in, as whom, and what they see."""

import re
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.edit_pb2 import FieldEdit, UnitSelection
from mds.v1.history_pb2 import ListChangeSetsRequest
from mds.v1.maintenance_pb2 import Maintenance
from mds.v1.operation_pb2 import ORDER_VERB_EDIT, CreateOperationRequest, Operation
from mds.v1.template_pb2 import CreateTemplateRequest, Template
from mds.v1.token_pb2 import RevokeTokenRequest
from playwright.async_api import expect
from structlog.testing import capture_logs

from tests.access.conftest import ROLES, Guarded, serving
from tests.stages.requirements import needs
from tests.stages.waiting import until
from tests.webui.browsers import NewPage, look
from tests.webui.doors import (
    FETCHING,
    FORMS,
    LOOKED_AT,
    NAVIGATING,
    Door,
    Visitor,
    door,
    hidden_in,
    one_field,
    type_token,
    visitor,
)
from tests.webui.magnets import declare_magnets
from tests.webui.npm import npm_is_missing, packages
from tests.webui.test_accessibility import violations
from webui.access import callers
from webui.access.entrance import Entrance, networks
from webui.live import events

PAGES = ["/", "/control_units", "/keys", "/events", "/nowhere", "/palette?q=x", "/operations/new"]


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


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_is_shown_to_who_has_not_logged_in(anybody: Visitor, path: str) -> None:
    text = await anybody.get(path, status=401)
    assert "Your token" in text
    assert "data-picture" not in text
    assert await anybody.get(path, status=401, headers=FETCHING) == "You are not logged in.\n"


async def test_whether_we_live_and_what_pages_look_like_is_told_to_all(anybody: Visitor) -> None:
    await anybody.get("/healthz/live")
    css = re.search(r'href="(/static/[^"]+\.css)"', await anybody.get("/login"))
    assert css is not None
    await anybody.get(css[1])


async def test_who_logs_in_comes_to_the_page_and_is_named_there(
    anybody: Visitor, guarded: Guarded
) -> None:
    asked = await anybody.get("/control_units?q=state%3DRUNNING", status=401)
    assert 'name="next" value="/control_units?q=state%3DRUNNING"' in asked
    await anybody.log_in(f"  {guarded.texts['operator']}\n", then="/control_units?q=x")
    text = await anybody.get("/control_units?q=zone%3DX")
    assert "You are operator, with the role operator." in text
    assert "Log out" in text
    await anybody.post("/logout", {}, leads_to="/login")
    await anybody.get("/control_units", status=401)


@pytest.mark.parametrize("then", ["https://elsewhere.example/", "//elsewhere", "/\\x", "x"])
async def test_nobody_is_led_elsewhere_by_logging_in(
    anybody: Visitor, guarded: Guarded, then: str
) -> None:
    fields = {"token": guarded.texts["viewer"], "next": then}
    await anybody.post("/login", fields, leads_to="/")


async def test_a_token_is_in_a_cookie_that_scripts_cannot_read_and_nowhere_else(
    anybody: Visitor, guarded: Guarded, page: Door
) -> None:
    token = guarded.texts["operator"]
    with capture_logs() as logged:
        async with anybody.http.post(
            "/login", data={"token": token, "keep": "on"}, allow_redirects=False
        ) as answer:
            cookie = answer.headers["Set-Cookie"]
            assert token not in await answer.text() + answer.headers["Location"]
        for path in ("/", "/control_units", "/keys", "/login"):
            assert token not in await anybody.get(path)
        await anybody.post("/login", {"token": token + "0"}, status=401)
    assert token not in str(logged) + guarded.logs()
    assert f"mds_token_{page.url.rpartition(':')[2]}=" in cookie
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Max-Age=7776000" in cookie
    assert "Secure" not in cookie


async def test_a_cookie_is_only_for_https_where_the_browser_uses_it(guarded: Guarded) -> None:
    fields = {"token": guarded.texts["viewer"]}
    said = {"X-Forwarded-Proto": "https", "Host": "control.example", **NAVIGATING}
    for proxies, secure in (("", False), ("127.0.0.0/8", True)):
        entrance = Entrance(proxies=networks(proxies))
        async with (
            door(guarded.first.address, entrance=entrance) as opened,
            visitor(opened) as browser,
            browser.http.post("/login", data=fields, headers=said, allow_redirects=False) as answer,
        ):
            cookie = answer.headers["Set-Cookie"]
        assert ("Secure" in cookie) is secure
        assert cookie.startswith("__Host-mds_token=" if secure else "mds_token=")


@pytest.mark.parametrize("wrong", ["mds_" + "b" * 12 + "_" + "0" * 64, "x", "", "two words", "ü"])
async def test_no_good_token_is_refused_and_not_repeated(anybody: Visitor, wrong: str) -> None:
    text = await anybody.post("/login", {"token": wrong, "next": "/keys"}, status=401)
    assert 'role="alert"' in text
    assert 'name="next" value="/keys"' in text
    assert len(wrong) < 5 or wrong not in text


async def test_each_role_sees_what_it_may_do(guarded: Guarded, new_page: NewPage) -> None:
    async with door(guarded.first.address, token=guarded.texts["viewer"]) as opened:
        for more, role in enumerate(ROLES):
            page = await new_page(expected="401")
            await page.goto(f"{opened.url}/maintenances")
            await type_token(page, guarded.texts[role])
            await expect(page.locator(".account summary")).to_contain_text(role)
            offered = await page.locator("[href='/maintenances/new'], [href='/tokens']").count()
            await page.goto(f"{opened.url}/control_units")
            offered += await page.locator("[href='/control_units/new']").count()
            assert offered == more, role


async def test_what_is_done_has_the_name_of_who_does_it(anybody: Visitor, guarded: Guarded) -> None:
    name = "templates/NAMED"
    async with guarded.client("expert") as expert:
        await expert.templates.CreateTemplate(
            CreateTemplateRequest(template=Template(name=name, implementation="PowerSupply"))
        )
        await anybody.log_in((await guarded.new_token("paola", "expert")).text)
        text = await anybody.get("/templates/NAMED/edit")
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))
        await anybody.post(
            "/templates/NAMED/edit",
            {**fields, "description": "of Paola"},
            leads_to="/templates/NAMED.*",
        )
        changes = await expert.history.ListChangeSets(ListChangeSetsRequest(page_size=1))
    assert changes.change_sets[0].author == "paola"


async def test_a_post_that_a_role_does_not_allow_changes_nothing_and_says_which_it_takes(
    anybody: Visitor, guarded: Guarded
) -> None:
    await anybody.log_in(guarded.texts["viewer"])
    text = await anybody.post("/change_sets/1/undo", {"reason": "x"}, status=403)
    assert "expert" in text
    assert "<h1>" in text


async def test_an_operator_is_not_offered_to_go_on_with_what_an_expert_edits(
    anybody: Visitor, guarded: Guarded
) -> None:
    id = "ROLES/Q1"
    edits = [FieldEdit(path="level", value="7")]
    async with guarded.client("expert") as expert:
        await declare_magnets(expert, id)
        operation = Operation(
            verb=ORDER_VERB_EDIT,
            selection=UnitSelection(names=[f"control_units/{id}"]),
            edits=edits,
        )
        request = CreateOperationRequest(operation=operation, reason="a test", wait=True)
        name = (await expert.operations.CreateOperation(request)).name
    await anybody.log_in(guarded.texts["operator"])
    text = await anybody.get(f"/{name}")
    assert re.findall(r'id="steer-(\w+)" formaction="[^"]+">', text) == ["abort"]
    assert "Resume: This takes the role expert; yours is operator." in text
    ticked = f"id={name.partition('/')[2]}"
    text = await anybody.get(f"/operations/steer?how=resume&{ticked}")
    assert "Resume: 0 operations" in text
    assert "This takes the role expert; yours is operator." in text
    assert "status does not allow it" not in text
    text = await anybody.post(f"/{name}/resume", {"reason": "x"}, status=422)
    assert "takes the role expert" in text
    assert "Abort: 1 operation<" in await anybody.get(f"/operations/steer?how=abort&{ticked}")
    await anybody.log_in(guarded.texts["expert"])
    text = await anybody.get(f"/{name}")
    assert re.findall(r'id="steer-(\w+)" formaction="[^"]+">', text) == ["resume", "abort"]
    assert "This takes the role" not in text


async def test_streams_end_with_their_token(
    anybody: Visitor, guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(events, "ALIVE_SECONDS", 0.05)
    monkeypatch.setattr(events, "CHECK_SECONDS", 0.05)
    end = Timestamp()
    end.FromMilliseconds(int(time.time() * 1000) + 1500)
    new = await guarded.new_token("short", "viewer", end=end)
    await anybody.log_in(new.text)
    async with anybody.http.get("/events") as stream:
        await stream.content.readuntil(b"event: out\n")
        assert await stream.content.readline() == b"data: \n"
        await stream.content.read()
    await anybody.get("/", status=401)


async def test_the_overview_is_drawn_with_a_token_of_the_page(
    anybody: Visitor, guarded: Guarded, page: Door
) -> None:
    await until(lambda: page.hub.picture.link == "live", what="an overview")
    await anybody.log_in(guarded.texts["operator"])
    assert 'data-link="live"' in await anybody.get("/")


async def test_a_page_without_a_token_of_its_own_says_what_is_missing(guarded: Guarded) -> None:
    async with door(guarded.first.address, token="mds_none") as opened:
        await until(lambda: "UNAUTHENTICATED" in opened.hub.picture.pieces["banner"])


async def test_attempts_that_fail_make_the_next_ones_wait(anybody: Visitor) -> None:
    for _ in range(3):
        begin = time.monotonic()
        await anybody.post("/login", {"token": "x"}, status=401)
    assert time.monotonic() - begin > 0.3


async def test_an_admin_makes_a_token_that_is_shown_once_and_revokes_it(
    anybody: Visitor, guarded: Guarded
) -> None:
    await anybody.log_in(guarded.texts["admin"])
    form = hidden_in(await anybody.get("/tokens"))
    wanted = {**form, "principal": "nina", "role": "operator", "days": "30", "reason": "new"}
    with capture_logs() as logged:
        shown = re.findall(r"mds_[a-z0-9]{12}_[0-9a-f]{64}", await anybody.post("/tokens", wanted))
    assert len(shown) == 1
    assert shown[0] not in str(logged)
    id = shown[0].split("_")[1]
    listed = await anybody.get("/tokens")
    assert "nina" in listed
    assert shown[0] not in listed
    # The browser's reload makes no second one, but who has not seen the first can have another.
    text = await anybody.post("/tokens", wanted, status=422)
    assert "No token was made" in text
    assert "revoke it in the list" in text
    assert one_field(text, "reason") == "new"
    assert shown[0] not in await anybody.post("/tokens", wanted | hidden_in(text))
    form = hidden_in(await anybody.get(f"/tokens/{id}/revoke"))
    await anybody.post(f"/tokens/{id}/revoke", form, leads_to=f"/tokens\\?revoked={id}")
    assert id not in await anybody.get("/tokens")
    assert "Revoked" in await anybody.get("/tokens?all=1")


async def test_what_cannot_be_a_token_is_told_with_what_was_typed(
    anybody: Visitor, guarded: Guarded
) -> None:
    await anybody.log_in(guarded.texts["admin"])
    for wrong in ({"role": "king"}, {"days": "7"}, {"principal": ""}):
        fields = {"principal": "nina", "role": "viewer", "days": "30", "reason": "<b>", **wrong}
        text = await anybody.post("/tokens", fields, status=422)
        assert "&lt;b&gt;" in text


@pytest.mark.parametrize("path", ["/tokens", "/tokens/aaaaaaaaaaaa/revoke"])
async def test_only_admins_see_tokens(anybody: Visitor, guarded: Guarded, path: str) -> None:
    await anybody.log_in(guarded.texts["expert"])
    assert "takes the role admin" in await anybody.get(path, status=403)
    fields = {"principal": "x", "role": "admin", "days": "0"}
    assert "takes the role admin" in await anybody.post(path, fields, status=403)


async def test_a_viewer_sees_no_button_that_changes_anything(
    anybody: Visitor, guarded: Guarded
) -> None:
    template = Template(name="templates/LOOKED_AT", implementation="PowerSupply")
    async with guarded.client("expert") as expert:
        await expert.templates.CreateTemplate(CreateTemplateRequest(template=template))
    await anybody.log_in(guarded.texts["viewer"])
    wrong = []
    for path in LOOKED_AT:
        text = await anybody.get(path)
        posts = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', text)
        posts += re.findall(r'<form[^>]*action="([^"]+)"[^>]*method="post"', text)
        links = re.findall(
            r'href="([^"]*/(?:new|edit|delete|rename|revert|undo|import)\b[^"]*)"', text
        )
        wrong += [(path, each) for each in {*posts, *links} - {"/theme", "/logout"}]
    assert not wrong
    await anybody.log_in(guarded.texts["expert"])
    assert "/templates/LOOKED_AT/edit" in await anybody.get("/templates/LOOKED_AT")


async def test_a_form_that_is_of_no_use_says_which_role_it_takes(
    anybody: Visitor, guarded: Guarded
) -> None:
    await anybody.log_in(guarded.texts["viewer"])
    for path in FORMS:
        assert "Your role does not allow this" in await anybody.get(path, status=403), path


async def test_who_may_end_a_maintenance_may_end_several(
    anybody: Visitor, guarded: Guarded
) -> None:
    async with guarded.client("operator") as operator:
        for id in ("cooling", "vacuum"):
            unit = Maintenance(name=f"maintenances/{id}", description="new", id_prefixes=["RING/"])
            await operator.maintenances.create(unit, reason="a test")
    await anybody.log_in(guarded.texts["operator"])
    assert "End them" in await anybody.get("/maintenances")
    plan = await anybody.get("/maintenances/end?id=cooling&id=vacuum")
    pairs = re.findall(r'<input type="hidden" name="(request_id|id|etag)" value="([^"]*)"', plan)
    async with anybody.http.post(
        "/maintenances/end", data=pairs, headers=NAVIGATING, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/changes")
    async with guarded.client("viewer") as viewer:
        assert [each async for each in viewer.maintenances.list()] == []


async def test_who_is_logged_out_under_an_open_page_loses_nothing(
    guarded: Guarded, new_page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(npm_is_missing())
    monkeypatch.setattr(callers, "FRESH_SECONDS", 0.2)
    monkeypatch.setattr(events, "CHECK_SECONDS", 0.2)
    template = Template(name="templates/TYPED", implementation="PowerSupply")
    async with guarded.client("admin") as admin:
        await admin.templates.CreateTemplate(CreateTemplateRequest(template=template))
        new = await guarded.new_token("rosa", "expert")
        page = await new_page(expected="401")
        await page.context.add_init_script((packages() / "axe-core" / "axe.min.js").read_text())
        async with door(guarded.first.address, token=guarded.texts["viewer"]) as opened:
            await page.goto(f"{opened.url}/templates/TYPED/edit")
            for dark, width in ((True, 390), (False, 1366)):
                await look(page, width=width, height=844, dark=dark)
                assert await violations(page) == []
            await type_token(page, new.text)
            field = page.locator("[name=description]")
            await field.fill("typed before")
            out = page.locator("#out")
            await expect(out).to_be_hidden()
            await admin.tokens.RevokeToken(RevokeTokenRequest(name=new.name))
            await expect(out).to_be_visible()  # until then, what is sent may still be taken
            await expect(out).to_contain_text("You are no longer logged in")
            await expect(field).to_have_value("typed before")
            assert await violations(page) == []
            # Whoever sends it all the same gets it back behind the log-in page.
            await field.press("Enter")
            await type_token(page, guarded.texts["expert"])
            send = page.get_by_role("button", name="Send it")
            await expect(send).to_be_visible()
            assert await violations(page) == []
            await send.click()
            await page.wait_for_url("**/templates/TYPED?saved=*")
            await expect(page.locator("main")).to_contain_text("typed before")
            await page.locator(".account summary").click()
            await page.get_by_role("button", name="Log out").click()
            await page.wait_for_url("**/login")
