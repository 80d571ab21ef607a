"""What a browser asks for is found in the page's log, and in the server's."""

import json

import pytest
from structlog.testing import capture_logs

from tests.stages.replica import Replica
from tests.webui.doors import door, visitor


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_request_of_a_browser_has_one_id_up_to_the_metadata_server(
    replica: Replica,
) -> None:
    async with door(replica.address) as page, visitor(page) as browser:
        with capture_logs() as logged:
            async with browser.http.get(
                f"{page.url}/control_units/NOWHERE", headers={"X-Request-Id": "from-the-proxy"}
            ) as answer:
                text = await answer.text()
    assert answer.headers["X-Request-Id"] == "from-the-proxy"
    assert "<code>from-the-proxy</code>" in text
    assert [line["path"] for line in logged if line["event"] == "answered"]
    lines = [json.loads(line) for line in replica.program.output().splitlines() if "{" in line]
    asked = {line["method"] for line in lines if line.get("request_id") == "from-the-proxy"}
    assert "ControlUnits.GetControlUnit" in asked
