"""The page where the server asks nobody who they are."""

import pytest

from tests.conftest import StartReplica
from tests.stages.ports import free_port
from tests.webui.doors import door, visitor
from webui.access.entrance import Entrance
from webui.server import OpenToAll, serve
from webui.settings import Settings

BEYOND = Entrance(is_public=True)


async def test_others_come_in_only_where_somebody_is_asked(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    address = (await start_replica(sqlite_database)).address
    with pytest.raises(OpenToAll, match="MDS_AUTHENTICATION=token"):
        await serve(Settings(web_host="0.0.0.0", web_port=free_port(), address=address))
    async with door(address, entrance=BEYOND) as opened, visitor(opened) as browser:
        assert "This page is closed" in await browser.get("/control_units", status=503)
    async with door(address) as opened, visitor(opened) as browser:
        text = await browser.get("/control_units")
        assert "Nobody is asked who they are: this page only listens on this machine." in text
        assert "Log out" not in text
        assert 'href="/tokens"' in text
        await browser.post("/login", {"token": "x", "next": "/keys"}, leads_to="/keys")
    insecure = Entrance(is_public=True, is_insecure=True)
    async with door(address, entrance=insecure) as opened, visitor(opened) as browser:
        assert "though others can reach this page" in await browser.get("/keys")


async def test_who_comes_from_elsewhere_waits_for_a_server_that_says_who_they_are() -> None:
    address = f"127.0.0.1:{free_port()}"
    async with door(address, entrance=BEYOND) as opened, visitor(opened) as browser:
        assert "does not answer" in await browser.get("/keys", status=503)
        await browser.get("/events", status=503)
    async with door(address) as opened, visitor(opened) as browser:
        assert "it is not known who you are" in await browser.get("/keys")
