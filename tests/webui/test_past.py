"""The overview and the topology as of a moment, asked of a real server."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from mds.v1.operation_pb2 import ORDER_VERB_START

from control_units.client import Client
from control_units.client.operations import NotReached
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.facility import declared_replica, unit_id

UNITS = 12


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    with declared_replica(tmp_path_factory.mktemp("past"), UNITS) as running:
        yield running


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as opened:
        yield opened


@pytest.fixture
async def site(open_site: OpenSite, replica: Replica) -> Site:
    return await open_site(replica.address)


def now() -> str:
    """This moment, as an address has it."""
    return quote(datetime.now(UTC).isoformat())


async def test_what_has_gone_since_is_on_the_overview_and_in_the_topology_of_then(
    site: Site, client: Client
) -> None:
    gone = f"control_units/{unit_id(3)}"
    before = now()
    await client.control_units.delete(gone, etag="*", reason="worn out")
    for moment, is_there in ((before, True), (now(), False)):
        page = await site.text(f"/?as_of={moment}")
        assert f"of {UNITS if is_there else UNITS - 1} control units" in page
        assert ("worn out" in page) is not is_there
        assert "This page knows only now" not in page
        assert (gone in await site.text(f"/topology?as_of={moment}")) is is_there


async def test_operations_of_the_past_are_those_that_had_begun_and_not_ended(
    site: Site, client: Client
) -> None:
    before = now()
    running = await client.operations.order(ORDER_VERB_START, [unit_id(1)], reason="cooling tests")
    between = now()
    await running.abort()
    with suppress(NotReached):
        await running.done(timeout=20)
    for moment, is_under_way in ((before, False), (between, True), (now(), False)):
        page = await site.text(f"/?as_of={moment}")
        under_way = page.partition('id="operations"')[2].partition("</ul>")[0]
        assert ("cooling tests" in under_way) is is_under_way
        assert "steps" not in under_way


async def test_what_is_not_kept_is_said_and_a_moment_before_all_history_is_refused(
    site: Site,
) -> None:
    page = await site.text(f"/?as_of={now()}")
    assert "Not told of then" in page
    assert "data-beat" not in page
    assert 'id="replicas"' not in page
    assert "hx-get" not in await site.text(f"/topology?as_of={now()}")
    assert "HISTORY_RESET" in await site.text("/?as_of=99999", status=410)


async def test_a_form_says_once_that_the_past_cannot_be_changed(site: Site) -> None:
    for path in ("/import", "/control_units/new", f"/control_units/{unit_id(0)}/edit"):
        page = await site.text(f"{path}?as_of={now()}", status=409)
        assert "<h1>The past cannot be changed</h1>" in page
        assert "Nothing can be changed here" not in page
        assert "knows only now" not in page
