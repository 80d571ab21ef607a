"""What pages ask of the protocol: names of calls, wherever they stand."""

import re
from pathlib import Path

import pytest
from mds.v1.access_pb2 import Role

import webui
from webui.access.person import Person
from webui.access.rights import access_of, allows

ROOT = Path(webui.__file__).parent
CALL = re.compile(r'"([A-Z][A-Za-z]+\.[A-Z][A-Za-z]+)"')


def test_every_call_that_a_page_asks_about_is_one() -> None:
    files = [*ROOT.rglob("*.html"), *ROOT.rglob("*.py")]
    asked = {call for file in files for call in CALL.findall(file.read_text())}
    assert len(asked) > 10
    for call in asked:
        assert access_of(call).role, call


LEAST = {
    "ControlUnits.GetControlUnit": Role.ROLE_VIEWER,
    "Operations.CreateOperation": Role.ROLE_OPERATOR,
    "ControlUnits.UpdateControlUnit": Role.ROLE_EXPERT,
    "Tokens.CreateToken": Role.ROLE_ADMIN,
}


@pytest.mark.parametrize("role", Role.values()[1:])
def test_a_role_may_what_the_protocol_says(role: Role.ValueType) -> None:
    person = Person(role=role)
    assert {call: allows(person, call) for call in LEAST} == {
        call: role >= least for call, least in LEAST.items()
    }


def test_a_token_for_programs_may_what_programs_may() -> None:
    call = "AgentReports.ReportAgent"
    viewer = Person(role=Role.ROLE_VIEWER)
    assert not allows(viewer, call)
    assert allows(Person(role=Role.ROLE_VIEWER, program=True), call)
