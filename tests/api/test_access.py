"""Each method says what it takes of its caller."""

import pytest
from google.protobuf.descriptor import MethodDescriptor
from mds.v1 import access_pb2

from metadata_server.api.access import OpenGate, access_of_methods, shown_in
from metadata_server.api.services import SERVED, services_of
from metadata_server.domain.access.role import OPERATED, ROLE_OF_KIND, Role
from metadata_server.domain.names import DECLARED
from metadata_server.domain.refused import Refused

METHODS = [
    (f"{service.name}.{method.name}", method)
    for module in SERVED
    for service in services_of(module)
    for method in service.methods
]
VERBS = ("Create", "Update", "Delete")


@pytest.mark.parametrize(("name", "method"), METHODS, ids=[name for name, _ in METHODS])
def test_each_method_says_its_role(name: str, method: MethodDescriptor) -> None:
    said = method.GetOptions().Extensions[access_pb2.access]
    assert said.role != access_pb2.ROLE_UNSPECIFIED, name


def test_what_changes_something_takes_more_than_a_viewer() -> None:
    access = access_of_methods()
    changing = [
        name for name, method in METHODS if "request_id" in method.input_type.fields_by_name
    ]
    assert len(changing) > 50
    assert not [name for name in changing if access[name].role is Role.VIEWER]


def test_only_what_programs_call_is_open_to_tokens_for_programs() -> None:
    assert {name for name, access in access_of_methods().items() if access.programs} == {
        "AgentReports.AnswerLogRequest",
        "AgentReports.ReportAgent",
        "Registration.Attach",
        "Registration.Register",
    }


def test_the_kinds_that_transactions_guard_are_those_that_only_admins_change() -> None:
    access = access_of_methods()
    words = {kind: "".join(part.capitalize() for part in kind.split("_")) for kind in DECLARED}
    for kind, word in words.items():
        needed = {
            each.role
            for name, each in access.items()
            if name.partition(".")[2] in {f"{verb}{word}" for verb in VERBS}
        }
        is_admins = needed == {Role.ADMIN}
        assert is_admins == (kind in ROLE_OF_KIND), kind


def test_what_takes_less_to_change_than_to_create_says_which_fields() -> None:
    access = access_of_methods()
    roles = {name.partition(".")[2]: each.role for name, each in access.items()}
    words = {kind: "".join(part.capitalize() for part in kind.split("_")) for kind in DECLARED}
    lesser = {
        kind
        for kind, word in words.items()
        if f"Update{word}" in roles
        and not roles[f"Update{word}"].covers(roles.get(f"Create{word}", Role.VIEWER))
    }
    assert lesser == set(OPERATED)


async def test_where_nobody_is_asked_callers_are_who_they_say_they_are() -> None:
    principal = await OpenGate().admit("Tokens.CreateToken", {"mds-principal": " anna "})
    assert (principal.name, principal.authenticated, principal.role) == ("anna", False, Role.ADMIN)


@pytest.mark.parametrize("said", ["", "Basic eDp5", "mds_x"])
def test_what_shows_no_token_is_refused_without_being_repeated(said: str) -> None:
    with pytest.raises(Refused, match="UNAUTHENTICATED") as refused:
        shown_in({"authorization": said} if said else {})
    assert not said or said not in str(refused.value)
