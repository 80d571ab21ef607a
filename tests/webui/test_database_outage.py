"""The page while the server's database is away: the reason is told, and it goes on by itself."""

from tests.conftest import StartReplica
from tests.stages.mariadb import MariaDB
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite


async def test_the_page_tells_that_the_database_is_away(
    start_replica: StartReplica,
    mariadb: MariaDB,
    mariadb_database: str,
    open_site: OpenSite,
) -> None:
    replica = await start_replica(mariadb_database)
    site = await open_site(replica.address, follow=True)
    await until(lambda: site.feed.is_live, what="a live page")
    assert await site.text("/healthz/ready") == "ready\n"

    mariadb.kill()
    await until(lambda: site.hub.picture.link == "stale", within=20, what="a stale page")
    assert "DATABASE_UNAVAILABLE" in site.hub.picture.pieces["banner"]
    assert "No word from the metadata server since" in await site.text("/")

    mariadb.heal()
    await until(lambda: site.feed.is_live, within=30, what="a live page again")
    assert "No word" not in await site.text("/")
