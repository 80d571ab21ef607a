"""By which names the page may be called where nobody is asked who they are (DNS rebinding)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from tests.conftest import StartReplica
from tests.stages.ports import free_port
from tests.webui.doors import Door, door
from webui.access.entrance import Entrance
from webui.settings import Settings

EVIL = "evil.example:7402"
# What a browser sends of a page on plain http that is not localhost: no Sec-Fetch-Site.
REBOUND = {"Host": EVIL, "Origin": f"http://{EVIL}"}
SHOWING = ("/", "/control_units", "/events", "/palette?q=i", "/nowhere")
CHANGING = ("/datasets/delete", "/operations/new", "/import", "/logout")


@dataclass(frozen=True)
class Caller:
    """Sends what a browser would, by any name."""

    http: aiohttp.ClientSession

    async def __call__(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        asked = self.http.request(method, path, headers=headers, allow_redirects=False)
        async with asked as answer:
            return answer.status, await answer.text() if answer.status != 200 else ""


@pytest.fixture
async def address(start_replica: StartReplica, sqlite_database: str) -> str:
    return (await start_replica(sqlite_database)).address


@pytest.fixture
async def opened(address: str) -> AsyncIterator[Door]:
    async with door(address, entrance=Settings(web_hosts="control-room, MDS.lab.").entrance) as one:
        yield one


@pytest.fixture
async def call(opened: Door) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(opened.url) as http:
        yield Caller(http)


async def test_a_page_whose_name_leads_here_sees_and_changes_nothing(call: Caller) -> None:
    asked = [("GET", path) for path in SHOWING] + [("POST", path) for path in CHANGING]
    for method, path in [*asked, ("HEAD", "/"), ("OPTIONS", "/")]:
        status, text = await call(method, path, **REBOUND)
        assert status == 421, (method, path)
        if method != "HEAD":
            assert EVIL in text
            assert "MDS_WEB_HOSTS" in text


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:7402", "127.0.0.1:7402", "[::1]:7402", "[::1]", "LocalHost."),
        *("lab.localhost:1", "10.77.0.20:7402", "Control-Room:7402", "mds.lab"),
    ],
)
async def test_names_of_its_own_are_answered(call: Caller, host: str) -> None:
    assert await call("GET", "/control_units", Host=host) == (200, "")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "a.mds.lab", "[evil]", "localhost:x", ":1"]
)
async def test_what_only_looks_like_one_is_not(call: Caller, host: str) -> None:
    assert (await call("GET", "/control_units", Host=host))[0] == 421


async def test_probes_may_use_any_name(call: Caller) -> None:
    assert await call("GET", "/healthz/live", Host="web-1:7402") == (200, "")


async def test_where_tokens_are_asked_for_any_name_leads_to_the_log_in_page(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    asking = await start_replica(sqlite_database, environment={"MDS_AUTHENTICATION": "token"})
    async with door(asking.address) as opened, aiohttp.ClientSession(opened.url) as http:
        status, text = await Caller(http)("GET", "/", Host=EVIL)
    assert status == 401
    assert "Your token" in text or "not logged in" in text


async def test_nobody_is_sent_away_before_it_is_known_whether_tokens_are_asked_for() -> None:
    async with (
        door(f"127.0.0.1:{free_port()}") as opened,
        aiohttp.ClientSession(opened.url) as http,
    ):
        status, text = await Caller(http)("GET", "/keys", Host="mds.lab.example")
    assert status == 503
    assert "MDS_WEB_HOSTS" not in text


async def test_the_name_that_it_listens_at_is_its_own(address: str) -> None:
    entrance = Settings(web_host="mds.lab.example", insecure=True).entrance
    assert isinstance(entrance, Entrance)
    async with (
        door(address, entrance=entrance) as opened,
        aiohttp.ClientSession(opened.url) as http,
    ):
        assert await Caller(http)("GET", "/keys", Host="mds.lab.example:7402") == (200, "")
        assert (await Caller(http)("GET", "/keys", Host=EVIL))[0] == 421


@pytest.mark.parametrize("wrong", ["http://mds", "mds:7402", "*"])
def test_what_is_no_name_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="MDS_WEB_HOSTS"):
        Settings(web_hosts=wrong)
