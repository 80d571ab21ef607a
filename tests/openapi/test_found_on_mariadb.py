"""What fuzzing has found on MariaDB, which compares no text beyond ASCII with ids."""

import aiohttp
import pytest

from tests.rest.conftest import DEADLINE, Http
from tests.stages.replica import Replica


@pytest.fixture
def database(mariadb_database: str) -> str:
    return mariadb_database


async def test_a_text_that_no_id_can_be_is_no_fault_of_the_database(replica: Replica) -> None:
    async with aiohttp.ClientSession(timeout=DEADLINE) as session:
        http = Http(session, replica.http)
        found = await http("GET", "/v1/agent_statuses?idPrefix=%C2%A3")
        assert (found.status, found.json.get("agentStatuses", [])) == (200, []), found.body
        answered = await http("POST", "/v1/log_requests/%F0%9F%98%8D:answer", {"lines": ["x"]})
        assert answered.status == 200, answered.body
