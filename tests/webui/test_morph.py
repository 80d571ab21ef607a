"""The page's own script, in a real browser: what changes, changes; what people hold, stays."""

import json
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page

from tests.webui.browsers import NewPage
from tests.webui.conftest import Site, running_site

SETUP = """
(async () => {
  for (const name of ["htmx", "idiomorph"]) {
    const script = document.createElement("script");
    script.src = `/static/vendor/${name}.js`;
    document.head.append(script);
    await new Promise((loaded) => (script.onload = loaded));
  }
  window.script = await import("/static/morph.js");
  document.body.innerHTML = '<ul id="list"></ul><div id="box"></div>';
  return true;
})()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[Site]:
    async with running_site() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def page(site: Site, new_page: NewPage) -> Page:
    page = await new_page(expected="favicon")  # this is no page, and names no icon
    await page.goto(f"{site.url}/healthz/live")
    assert await page.evaluate(SETUP)
    return page


async def arrange(page: Page, ids: str) -> str:
    """Orders the list; the ids that were moved or made, as its observer saw them."""
    script = f"""
      (() => {{
        const list = document.getElementById("list");
        const seen = new MutationObserver(() => {{}});
        seen.observe(list, {{ childList: true }});
        script.arrange(list, {json.dumps(list(ids))},
                       (id) => `<li id="${{id}}"><button>${{id}}</button></li>`);
        const added = seen.takeRecords().flatMap((r) => [...r.addedNodes]).map((n) => n.id);
        seen.disconnect();
        return [[...list.children].map((c) => c.id).join(""), [...new Set(added)].sort().join("")];
      }})()
    """
    order, touched = await page.evaluate(script)
    assert order == ids
    return str(touched)


async def test_a_list_takes_its_new_order_with_few_moves(page: Page) -> None:
    assert await arrange(page, "abcdef") == "abcdef"
    assert await arrange(page, "abcdef") == ""
    assert await arrange(page, "bcdefa") == "a"
    assert await arrange(page, "abcdef") == "a"
    assert await arrange(page, "abxcef") == "x"
    assert len(await arrange(page, "xfab")) == 2
    assert await arrange(page, "") == ""
    assert await arrange(page, "zy") == "yz"


async def test_what_has_the_focus_keeps_it_when_it_moves(page: Page) -> None:
    await arrange(page, "abcd")
    await page.evaluate("document.querySelector('#d button').focus()")
    await arrange(page, "dabc")
    assert await page.evaluate("document.activeElement.parentElement.id") == "d"


async def become(page: Page, html: str) -> str:
    await page.evaluate(
        f"script.morph(document.getElementById('box'), script.parse({json.dumps(html)}))"
    )
    return str(await page.evaluate("document.getElementById('box').outerHTML"))


SHAPES = [
    '<div id="box">text</div>',
    '<div id="box" class="a"><p>one</p><p>two</p></div>',
    '<div id="box"><p>two</p></div>',
    '<div id="box"><b>x</b>text<p id="p">one</p></div>',
    '<div id="box"><p id="p">one</p> text<i id="i"></i><b>x</b></div>',
    '<div id="box"><svg class="bar"><rect width="3"></rect></svg></div>',
    '<div id="box"><table><tbody><tr id="r"><td>1</td></tr></tbody></table></div>',
    '<div id="box" title="t"><p id="p" class="c">zero</p><p>one</p>tail</div>',
    '<div id="box"></div>',
]


async def test_an_element_becomes_what_it_shall_be_whatever_it_was(page: Page) -> None:
    for before in SHAPES:
        for after in SHAPES:
            await become(page, before)
            assert await become(page, after) == after, f"from {before}"


async def test_what_stays_is_the_same_element(page: Page) -> None:
    await become(page, '<div id="box"><p>a</p><p id="p">one</p></div>')
    await page.evaluate("document.getElementById('p').mine = 7")
    await become(page, '<div id="box"><p id="p">two</p><p>a</p></div>')
    assert await page.evaluate("document.getElementById('p').mine") == 7


async def test_what_people_opened_stays_open_with_what_was_loaded(page: Page) -> None:
    closed = (
        '<div id="box"><details data-keep-open=""><summary>{}</summary>'
        '<div id="kept" data-keep="" data-src="/{}"></div></details></div>'
    )
    await become(page, closed.format("1", "first"))
    await page.evaluate(
        """(() => {
          const kept = document.getElementById("kept");
          kept.parentElement.open = true;
          kept.dataset.loaded = "";
          kept.dataset.src = "/more";
          kept.textContent = "loaded";
        })()"""
    )
    html = await become(page, closed.format("2", "first"))
    assert "<summary>2</summary>" in html
    assert 'open=""' in html
    assert ">loaded</div>" in html
    assert 'data-src="/more"' in html


async def test_what_the_browser_counts_up_is_left_to_it(page: Page) -> None:
    age = '<div id="box"><span data-since="{}"></span></div>'
    await become(page, age.format("2026-03-14T07:00:00Z"))
    await page.evaluate("document.querySelector('[data-since]').textContent = '4 s'")
    html = await become(page, age.format("2026-03-14T08:00:00Z"))
    assert ">4 s</span>" in html
    assert "T08:00" in html


async def test_what_is_being_typed_is_left_to_who_types_it(page: Page) -> None:
    field = '<div id="box"><input id="i" value="{}"><input id="j" value="{}"></div>'
    await become(page, field.format("1", "1"))
    await page.evaluate("(() => { i.focus(); i.value = '12'; })()")
    await become(page, field.format("3", "3"))
    assert await page.evaluate("[i.value, j.value, document.activeElement.id]") == ["12", "3", "i"]


FORM = """<div id="box"><form>
  <input type="hidden" name="etag" value="{0}"><input name="reason" value="{0}">
  <input name="count"><textarea name="why">{0}</textarea>
  <input type="checkbox" name="skip" value="{0}"{1}><input type="checkbox" name="keep" value="1"{1}>
  <select name="how"><option>a</option><option{2}>b</option><option>c</option></select>
  <button name="page" value="{0}">Next</button>
</form></div>"""
SHOWN = """(() => {
  const { etag, page, reason, count, why, skip, keep, how } = document.forms[0].elements;
  const texts = [etag, page, reason, count, why, how].map((field) => field.value);
  return [...texts, skip.checked, keep.checked];
})()"""


async def test_what_was_typed_and_chosen_stays_without_the_focus(page: Page) -> None:
    await become(page, FORM.format("1", "", ""))
    await page.evaluate(
        """(() => {
          const { reason, count, why, keep, how } = document.forms[0].elements;
          for (const each of [reason, count, why]) each.value = "typed";
          keep.checked = true;
          how.value = "c";
        })()"""
    )
    for drawn in ("2", "3"):
        await become(page, FORM.format(drawn, "", " selected"))
        texts = [drawn, drawn, "typed", "typed", "typed", "c"]
        assert await page.evaluate(SHOWN) == [*texts, False, True]


async def test_what_was_not_touched_or_taken_back_follows_the_server(page: Page) -> None:
    await become(page, FORM.format("1", "", ""))
    await page.evaluate(
        """(() => {
          const { reason, why, skip } = document.forms[0].elements;
          for (const each of [reason, why]) {
            each.value = "typed";
            each.value = each.defaultValue;
          }
          skip.click();
          skip.click();
        })()"""
    )
    await become(page, FORM.format("2", " checked", " selected"))
    assert await page.evaluate(SHOWN) == ["2", "2", "2", "", "2", "b", True, True]
    await become(page, FORM.format("3", "", ""))
    assert await page.evaluate(SHOWN) == ["3", "3", "3", "", "3", "a", False, False]


async def test_what_was_typed_never_comes_to_stand_in_another_field(page: Page) -> None:
    await become(page, '<div id="box"><input name="reason" value=""></div>')
    await page.evaluate("document.querySelector('#box input').value = 'typed'")
    await become(page, '<div id="box"><input name="typed_count" value="7"></div>')
    assert await page.evaluate("document.querySelector('#box input').value") == "7"


async def test_what_is_no_page_never_becomes_markup(page: Page) -> None:
    await page.evaluate("htmx.ajax('GET', '/healthz/live', {target: '#box', swap: 'innerHTML'})")
    assert await page.evaluate("document.getElementById('box').textContent") == ""
    await page.evaluate("htmx.ajax('GET', '/keys', {target: '#box', swap: 'innerHTML'})")
    assert "Ctrl" in await page.evaluate("document.getElementById('box').textContent")


async def test_a_form_with_something_typed_stays_until_it_is_offered_again(page: Page) -> None:
    form = (
        '<form id="f" data-keep-typed=""><input id="r" name="r" value=""><button>{}</button></form>'
    )
    offered, gone = (
        f'<div id="box">{form.format("Go")}<p>a</p></div>',
        '<div id="box"><p>b</p></div>',
    )
    await become(page, offered)
    assert await become(page, gone) == gone, "nothing was typed"
    await become(page, offered)
    await page.fill("#r", "typed")
    assert "<p>b</p>" in await become(page, gone)
    assert await page.input_value("#r") == "typed"
    assert await page.is_disabled("#f button")
    await become(page, offered)
    assert await page.input_value("#r") == "typed"
    assert await page.is_enabled("#f button")
