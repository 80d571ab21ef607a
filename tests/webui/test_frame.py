"""What stands around every page: the theme, and the moment that is looked at."""

import re
from collections.abc import Awaitable, Callable

import pytest

from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite
from webui.frame.moment import keep_moment, past_moment
from webui.frame.pages import own_address

StartReplica = Callable[..., Awaitable[Replica]]
MOMENT = "2026-11-15T03:12:00+01:00"
ASKED = "as_of=2026-11-15T03%3A12%3A00%2B01%3A00"


async def test_a_theme_is_kept_and_the_next_page_is_drawn_in_it(open_site: OpenSite) -> None:
    site = await open_site()
    assert 'data-theme="auto"' in await site.text("/keys")
    form = {"theme": "dark", "back": "/keys?x=1"}
    async with site.http.post("/theme", data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/keys?x=1"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert answer.cookies["theme"].value == "dark"
    async with site.http.get("/keys", headers={"Cookie": "theme=dark"}) as page:
        assert 'data-theme="dark"' in await page.text()
    async with site.http.get("/keys", headers={"Cookie": 'theme="><b>'}) as page:
        assert 'data-theme="auto"' in await page.text()
    async with site.http.post("/theme", data={"theme": "pink"}) as answer:
        assert answer.status == 422


async def test_a_chosen_time_leads_back_to_the_page_as_it_was(open_site: OpenSite) -> None:
    site = await open_site()

    async def leads_to(**query: str) -> str:
        async with site.http.get("/as_of", params=query, allow_redirects=False) as answer:
            assert answer.status == 303
            return answer.headers["Location"]

    there = await leads_to(time="2026-11-15T03:12", back="/control_units?q=zone%3DA&page=xy")
    assert re.fullmatch(r"/control_units\?q=zone%3DA&as_of=2026-11-15T03%3A12%3A00[^&]+", there)
    assert await leads_to(back=there) == "/control_units?q=zone%3DA"
    assert await leads_to(back="https://elsewhere.example/") == "/"
    await site.text("/as_of?time=yesterday", status=422)


@pytest.mark.parametrize("address", ["//x", "/\\x", "x", "https://x", "/a\r\nB: c", ""])
def test_nobody_is_led_to_another_site(address: str) -> None:
    assert own_address(address) == "/"


KEPT = [
    ('<a class="id" href="/control_units/A">', f'href="/control_units/A?{ASKED}"'),
    ('<a href="/changes?q=x#last">', f'href="/changes?q=x&amp;{ASKED}#last"'),
    ('<div hx-get="/lists?fragment=rows">', f'hx-get="/lists?fragment=rows&amp;{ASKED}"'),
    ('<form action="/x" method="post">', f'action="/x?{ASKED}"'),
    ('<form action="/x">', '<input type="hidden" name="as_of" value="2026-11-15T03:12:00+01:00">'),
]
LEFT = [
    f'<a href="/control_units?{ASKED}">',
    '<link href="/static/0/page.css">',
    '<a href="#main">',
    '<a href="https://elsewhere.example/">',
    '<a data-now href="/control_units/A">',
    '<form action="/as_of?as_of=1" method="get" data-any-moment>',
    "<p>href=&#34;/x&#34;</p>",
]


@pytest.mark.parametrize(("html", "expected"), KEPT)
def test_every_link_and_form_stays_in_the_past(html: str, expected: str) -> None:
    assert expected in keep_moment(html, past_moment(MOMENT))
    assert keep_moment(html, None) == html


@pytest.mark.parametrize("html", LEFT)
def test_what_has_no_past_is_left_alone(html: str) -> None:
    assert keep_moment(html, past_moment(MOMENT)) == html


async def test_the_past_is_framed_and_nothing_in_it_can_be_changed(open_site: OpenSite) -> None:
    site = await open_site()
    text = await site.text(f"/keys?{ASKED}")
    assert 'data-as-of="2026-11-15T03:12:00+01:00"' in text
    assert "As of 2026-11-15" in text
    assert f'href="/control_units?{ASKED}"' in text
    assert 'data-now href="/keys"' in text
    async with site.http.post(f"/control_units/A?{ASKED}") as answer:
        assert answer.status == 409
        assert "shows the past" in await answer.text()
    assert "As of revision 120" in await site.text("/keys?as_of=120")
    assert "data-as-of" not in await site.text("/keys")


async def test_a_moment_that_is_none_is_no_way_into_the_page(open_site: OpenSite) -> None:
    text = await (await open_site()).text("/keys?as_of=%22><b>x")
    assert "<b>x" not in text


async def test_a_page_that_shows_only_now_says_so_in_the_frame_of_the_past(
    open_site: OpenSite, start_replica: StartReplica, sqlite_database: str
) -> None:
    site = await open_site((await start_replica(sqlite_database)).address)
    only_now = "This page knows only now"
    assert only_now in await site.text(f"/keys?{ASKED}")
    assert only_now not in await site.text("/keys")
    for path in ("/", "/operations", "/changes", "/maintenances"):
        assert only_now not in await site.text(f"{path}?{ASKED}")
