"""What a browser is told while the metadata server is busy."""

import grpc
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from control_units.client import Busy, Unreachable
from webui.site import busy_seconds, explain
from webui.visit import later

BUSY = Busy(
    "TOO_BUSY", "This replica is busy.", code=grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=1.2
)


def html() -> web.Response:
    return web.Response(content_type="text/html", headers={"Retry-After": "2"})


def test_a_person_reads_when_it_is_tried_again() -> None:
    assert explain(BUSY) == ("The metadata server is busy", "Trying again in 2 s.", 503)
    assert busy_seconds(Unreachable("127.0.0.1:1", "nobody listens")) == 0


def test_a_page_that_is_only_looked_at_comes_again_by_itself() -> None:
    answer = later(make_mocked_request("GET", "/units"), html())
    assert answer.headers["Refresh"] == "2"


def test_a_page_that_keeps_what_was_sent_stays() -> None:
    assert "Refresh" not in later(make_mocked_request("POST", "/units"), html()).headers


def test_a_part_of_a_page_is_not_shown_alone() -> None:
    part = web.Response(text="busy", headers={"Retry-After": "2"})
    assert "Refresh" not in later(make_mocked_request("GET", "/units"), part).headers
