"""Paths: taken apart raw, matched, decoded."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.api.rest.application import served_routes
from metadata_server.api.rest.routes import RouteTable
from metadata_server.api.rest.templates import Path, Template, decoded
from metadata_server.domain.refused import Refused

ROUTES = served_routes()
TABLE = RouteTable.of(ROUTES)
SEGMENT = st.text("abcXYZ019_.:+-", min_size=1, max_size=9).filter(lambda text: text not in "..")
IDS = st.lists(SEGMENT, min_size=1, max_size=5).map("/".join)


def found(raw: str) -> tuple[str, str] | None:
    """Name of what GET, or else any verb, calls there, and the value of the variable."""
    at = TABLE.find(Path.of(raw))
    if at is None:
        return None
    route = at.routes.get("GET") or next(iter(at.routes.values()))
    return route.name, at.raw_value


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/v1/control_units", ("ControlUnits.ListControlUnits", "")),
        ("/v1/control_units/A", ("ControlUnits.GetControlUnit", "control_units/A")),
        ("/v1/control_units/A/B/C:explain", ("ControlUnits.ExplainConfiguration",) * 2),
        ("/v1/control_units:edit", ("Edits.EditControlUnits", "")),
        ("/v1/operations/7/steps", ("Operations.ListOperationSteps", "operations/7")),
        ("/v1/operations/7", ("Operations.GetOperation", "operations/7")),
        ("/v1/unit_servers/c8%3A1f", ("UnitServers.GetUnitServer", "unit_servers/c8%3A1f")),
        ("/v1/unit_servers/c8%3A1f:start", ("UnitServers.StartUnitServer", "unit_servers/c8%3A1f")),
        ("/v1/unit_servers/c8:1f/B", ("UnitServers.GetUnitServer", "unit_servers/c8:1f/B")),
        ("/v1/log_requests/5:answer", ("AgentReports.AnswerLogRequest", "5")),
        ("/v1/datasets/a/b", None),
        ("/v1/control_units/", None),
        ("/v1/control_units//", None),
        ("/v1/control_units/A:nonsense", None),
        ("/v1/unit_servers/c8:1f", None),
        ("/v1/Control_Units", None),
        ("/v2/control_units", None),
        ("/v1", None),
        ("/", None),
        ("", None),
        (":", None),
    ],
)
def test_a_path_leads_to_its_method(raw: str, expected: tuple[str, str] | None) -> None:
    if expected and expected[1] == expected[0]:
        expected = (expected[0], "control_units/A/B/C")
    assert found(raw) == expected


@given(IDS)
def test_every_id_quoted_by_segments_or_as_a_whole_leads_to_its_resource(id: str) -> None:
    for quoted in (quote(id, safe="/"), quote(id, safe="")):
        name, raw = found(f"/v1/control_units/{quoted}") or ("", "")
        assert name == "ControlUnits.GetControlUnit"
        assert decoded(raw, "name") == f"control_units/{id}"
        name, raw = found(f"/v1/control_units/{quoted}:rename") or ("", "")
        assert (name, decoded(raw, "name")) == (
            "ControlUnits.RenameControlUnit",
            f"control_units/{id}",
        )


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_none(raw: str) -> None:
    found(raw)


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(Refused, match="UTF-8"):
        decoded("control_units/%ff", "name")


@pytest.mark.parametrize(
    "text", ["v1/x", "/v1/{name=*}/{other=*}", "/v1/{name=x/*y}", "/v1/{Name}", "/v1/x:1"]
)
def test_a_template_of_another_form_is_no_template(text: str) -> None:
    with pytest.raises(ValueError, match=r"template|variable"):
        Template.of(text)


def test_two_routes_in_one_place_are_seen_at_the_start() -> None:
    with pytest.raises(ValueError, match="twice"):
        RouteTable.of([*ROUTES, next(route for route in served_routes())])
