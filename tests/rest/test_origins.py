"""Pages of other origins: kept out, unless the operator names them."""

import aiohttp
import pytest

from metadata_server.settings import BadSettings, Settings
from tests.conftest import StartReplica
from tests.rest.conftest import Http

PANEL, OTHER = "https://panel.example.org", "https://other.example.org"


async def test_no_page_of_another_origin_may_write_and_none_is_told_that_it_may_read(
    http: Http,
) -> None:
    for verb, path in (("POST", "/v1/history:revert"), ("DELETE", "/v1/variables/A")):
        refused = await http(verb, path, Origin=OTHER)
        assert (refused.status, refused.reason) == (403, "ORIGIN_NOT_ALLOWED")
    read = await http("GET", "/v1/variables", Origin=OTHER)
    assert not [name for name in read.headers if name.startswith("Access-Control")]
    own = await http("DELETE", "/v1/variables/nobody", Origin=http.base)
    assert own.reason == "VARIABLE_NOT_FOUND"


async def test_pages_of_an_origin_that_is_named_may_call(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    environment = {"MDS_CORS_ORIGINS": f"{PANEL}, http://localhost:3000"}
    replica = await start_replica(sqlite_database, environment=environment)
    async with aiohttp.ClientSession() as session:
        http = Http(session, replica.http)
        asked = await http(
            "OPTIONS", "/v1/variables/A", Origin=PANEL, Access_Control_Request_Method="PATCH"
        )
        assert asked.status == 204
        assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
        assert "If-Match" in asked.headers["Access-Control-Allow-Headers"]
        for verb, path in (("GET", "/v1/variables"), ("DELETE", "/v1/variables/A")):
            told = await http(verb, path, Origin=PANEL)
            assert told.status in {200, 404}
            assert told.headers["Access-Control-Allow-Origin"] == PANEL
            assert "ETag" in told.headers["Access-Control-Expose-Headers"]
            assert "Origin" in told.headers["Vary"]
        assert (await http("DELETE", "/v1/variables/A", Origin=OTHER)).status == 403
        read = await http("GET", "/v1/variables", Origin=OTHER)
        assert "Access-Control-Allow-Origin" not in read.headers


@pytest.mark.parametrize("wrong", ["panel.example.org", f"{PANEL}/path", "https://"])
def test_what_is_no_origin_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(BadSettings, match="MDS_CORS_ORIGINS"):
        Settings(cors_origins=wrong)


def test_without_the_setting_there_is_no_origin() -> None:
    assert Settings(cors_origins="").allowed_origins() == frozenset()
