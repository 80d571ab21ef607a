"""Pages that are drawn anew while somebody works on them, in a real browser beside a real server."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import pytest_asyncio
from mds.v1 import maintenance_pb2, operation_pb2, registration_pb2, template_pb2, variable_pb2
from playwright.async_api import Page, Request, expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import Site, running_site
from tests.webui.facility import declared_replica, unit_id

UNITS = 60
# With these a unit server that says nothing is soon lost.
FAST = {"MDS_HEARTBEAT_S": "0.5", "MDS_LEASE_S": "2"}
TYPED = "magnet group changes a supply"


@pytest.fixture(scope="module")
def declared(
    database_of_module: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replica]:
    folder = tmp_path_factory.mktemp("live_pages")
    with declared_replica(folder, UNITS, database=database_of_module, environment=FAST) as replica:
        yield replica


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(declared: Replica) -> AsyncIterator[Site]:
    async with running_site(declared.address, follow=True) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def client(declared: Replica) -> AsyncIterator[Client]:
    async with Client(declared.address) as client:
        yield client


async def opened(new_page: NewPage, url: str, *, expected: str = "") -> Page:
    """A page that follows the server."""
    page = await new_page(expected=expected)
    await page.goto(url)
    await until_true(page, "document.body.dataset.link === 'live'")
    return page


async def typed_and_left(page: Page) -> None:
    await page.fill("#reason", TYPED)
    await page.evaluate("document.activeElement.blur()")


def maintenance(**changed: str) -> maintenance_pb2.Maintenance:
    name = "maintenances/cooling"
    made = maintenance_pb2.Maintenance(name=name, unit_servers=["unit_servers/BTF/MAGNETS"])
    made.description = changed.get("description", "new cooling")
    made.etag = changed.get("etag", "")
    made.begin_time.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
    return made


async def test_a_reason_that_was_typed_outlives_news_of_an_operation(
    site: Site, client: Client, new_page: NewPage
) -> None:
    start = operation_pb2.ORDER_VERB_START
    running = await client.operations.order(start, [unit_id(0)], reason="a test")
    page = await opened(new_page, f"{site.url}/{running.operation.name}")
    await typed_and_left(page)
    await running.pause()
    await until_true(page, "document.querySelector('#steer-resume:enabled')")
    assert await page.input_value("#reason") == TYPED
    await running.abort()


async def test_a_button_never_becomes_another_one_under_a_hand(
    site: Site, client: Client, new_page: NewPage
) -> None:
    start = operation_pb2.ORDER_VERB_START
    running = await client.operations.order(start, [unit_id(1)], reason="a test")
    page = await opened(new_page, f"{site.url}/{running.operation.name}")
    pause = page.locator("#steering button").first
    box, said = await pause.bounding_box(), await pause.get_attribute("formaction")
    await running.pause()
    await until_true(page, "document.querySelector('#steer-resume:enabled')")
    assert await pause.bounding_box() == box
    assert await pause.get_attribute("formaction") == said
    await expect(pause).to_be_disabled()
    # Nor does the key Enter.
    await page.focus("#reason")
    await page.keyboard.press("Enter")
    asked = operation_pb2.GetOperationRequest(name=running.operation.name)
    phase = (await client.operations.GetOperation(asked)).phase
    assert phase == operation_pb2.OPERATION_PHASE_SUSPENDED
    await running.abort()


async def test_the_number_that_confirms_a_plan_is_typed_anew(site: Site, new_page: NewPage) -> None:
    page = await new_page()
    ids = "&".join(f"id={quote(unit_id(number))}" for number in range(12))
    await page.goto(f"{site.url}/datasets/delete?{ids}")
    await page.fill("#reason", TYPED)
    await page.fill("#typed_count", "12")
    await page.reload()
    await expect(page.locator("#reason")).to_have_value(TYPED)
    await expect(page.locator("#typed_count")).to_have_value("")


async def test_a_reason_that_was_typed_outlives_news_of_a_maintenance(
    site: Site, client: Client, new_page: NewPage
) -> None:
    await client.maintenances.create(maintenance(), reason="a test")
    page = await opened(new_page, f"{site.url}/maintenances/cooling", expected="404")
    await typed_and_left(page)
    changed = maintenance(description="an older cooling", etag="*")
    await client.maintenances.update(changed, "description", reason="a test")
    await until_true(page, "document.querySelector('#island').innerText.includes('an older')")
    assert await page.input_value("#reason") == TYPED
    await client.maintenances.delete("cooling", etag="*", reason="a test")
    # It is gone, what was typed is not.
    await until_true(page, "document.querySelector('#island .note')")
    assert await page.input_value("#reason") == TYPED
    await expect(page.locator("#ending button")).to_be_disabled()


def said_by_all(words: str) -> str:
    """Whether each row that is shown says it."""
    rows = "[...document.querySelectorAll('#rows > tr')]"
    return f"{rows}.length > 0 && {rows}.every((row) => row.innerText.includes({words!r}))"


async def test_rows_of_units_follow_their_unit_server(
    site: Site, client: Client, new_page: NewPage
) -> None:
    page = await opened(new_page, f"{site.url}/control_units?q=zone%3DLINAC&columns=id,contact")
    asked: list[str] = []

    def note(request: Request) -> None:
        if "fragment=rows" in request.url:
            asked.append(request.url)

    page.on("request", note)
    await until_true(page, said_by_all("No session"))
    incarnation = registration_pb2.RegisterRequest(
        unit_server="unit_servers/LINAC/MAGNETS", incarnation="first", host="rack1", pid=42
    )
    await client.registration.Register(incarnation)
    await until_true(page, said_by_all("Alive"))
    asked.clear()
    await until_true(page, said_by_all("Lost"))
    assert len(asked) <= 4, "one request for what is shown each time, and not one for a unit"


async def test_rows_of_units_follow_their_template(
    site: Site, client: Client, new_page: NewPage
) -> None:
    page = await opened(
        new_page, f"{site.url}/control_units?q=template%3DCamera&columns=id,conditions"
    )
    newer = template_pb2.Template(name="templates/Camera", description="a newer one", etag="*")
    await client.templates.update(newer, "description", reason="a test")
    await until_true(page, said_by_all("Out of date"))


async def test_rows_of_units_follow_what_is_in_maintenance(
    site: Site, client: Client, new_page: NewPage
) -> None:
    path = "control_units?q=zone%3DBTF&columns=id,conditions"
    page = await opened(new_page, f"{site.url}/{path}")
    unit = await opened(new_page, f"{site.url}/control_units/{unit_id(2)}")
    await client.maintenances.create(maintenance(), reason="a test")
    await until_true(page, said_by_all("In maintenance"))
    await until_true(unit, "document.querySelector('#island').innerText.includes('In maintenance')")
    await page.goto(f"{site.url}/conditions?q=condition%3DInMaintenance")
    await until_true(page, "document.body.dataset.link === 'live'")
    await client.maintenances.delete("cooling", etag="*", reason="a test")
    await until_true(page, said_by_all("no longer matches"))


async def test_a_change_of_any_kind_is_announced(
    site: Site, client: Client, new_page: NewPage
) -> None:
    page = await opened(new_page, f"{site.url}/changes")
    variable = variable_pb2.Variable(name="variables/BTF/ENERGY", value="510")
    await client.variables.create(variable, reason="a test")
    await until_true(page, "document.getElementById('news')?.hidden === false")


CLOCK = r"\d\d:\d\d:\d\d"


async def test_a_page_says_that_it_is_live_only_when_it_has_heard_so(
    site: Site, new_page: NewPage
) -> None:
    hears = await opened(new_page, f"{site.url}/keys")
    await expect(hears.locator(".for-live")).to_be_visible()

    # The server has said when the page was drawn, also where it has heard no other server itself.
    async with running_site() as unheard:
        deaf = {url: await new_page(expected="ERR_FAILED") for url in (site.url, unheard.url)}
        for url, page in deaf.items():
            await page.route("**/events?*", lambda route: route.abort())
            await page.goto(f"{url}/keys")
            await expect(page.locator(".for-live")).to_be_hidden()
        for page in deaf.values():
            await expect(page.locator("#cut")).to_contain_text(re.compile(f"server. at {CLOCK}"))

    unscripted = await new_page(javascript=False)
    await unscripted.goto(f"{site.url}/keys")
    told = await unscripted.locator("#live").inner_text()
    assert re.fullmatch(rf"Not live {CLOCK} \w+", told.strip())
