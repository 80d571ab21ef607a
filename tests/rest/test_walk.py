"""Every route of the protocol is there, and answers in its form."""

import pytest

from metadata_server.api.rest.application import served_routes
from metadata_server.api.rest.routes import Route
from tests.rest.conftest import Http

ROUTES = served_routes()
ENDLESS = {"Watch.Watch", "Overview.Pulse"}


def path_of(route: Route) -> str:
    """A path of the route, with an id where it has one."""
    template = route.template
    id = ["1"] if template.field else []
    verb = f":{template.verb}" if template.verb else ""
    return "/" + "/".join([*template.before, *id, *template.after]) + verb


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.verb} {route.template.text}")
async def test_a_route_is_reached(http: Http, route: Route) -> None:
    path = path_of(route)
    if route.name in ENDLESS:
        head = await http("HEAD", path)
        assert (head.status, head.headers["Content-Type"]) == (200, "application/x-ndjson")
        return
    data = b"{}" if route.body else None
    media_type = "application/x-ndjson" if route.takes_stream else "application/json"
    answer = await http(route.verb, path, data=data, Content_Type=media_type)
    assert answer.status < 500, answer.body
    assert answer.headers["Content-Type"] in {"application/json", "application/x-ndjson"}
    if answer.status >= 400:
        assert answer.reason not in {"PATH_NOT_FOUND", "VERB_NOT_ALLOWED", "INVALID_HTTP"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.verb} {route.template.text}")
async def test_a_parameter_that_is_not_there_is_refused_on_every_route(
    http: Http, route: Route
) -> None:
    data = b"{}" if route.body else None
    media_type = "application/x-ndjson" if route.takes_stream else "application/json"
    answer = await http(
        route.verb, path_of(route) + "?nonsense=1", data=data, Content_Type=media_type
    )
    assert (answer.status, answer.reason) == (400, "INVALID_FIELD")
    assert "nonsense" in answer.message


async def test_reading_changes_nothing(http: Http) -> None:
    before = (await http("GET", "/v1/overview")).json["position"]
    for route in ROUTES:
        if route.verb == "GET" and route.name not in ENDLESS:
            await http("GET", path_of(route))
    assert (await http("GET", "/v1/overview")).json["position"] == before
