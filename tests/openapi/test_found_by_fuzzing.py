"""What fuzzing has found, each as it was sent."""

import pytest

from tests.rest.conftest import Http


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/operations:plan", {"operation": {"verb": True}}, "operation.verb"),
        ("/v1/policies", {"name": "policies/A", "kinds": [False]}, "kinds[0]"),
        ("/v1/templates", {"name": "templates/A", "attributes": [{"type": True}]},
         "attributes[0].type"),
        ("/v1/variables", {"name": "variables/A", "labels": {"a": True}}, "labels[a]"),
    ],
)  # fmt: skip
async def test_true_is_no_name_and_no_number(
    http: Http, path: str, body: object, field: str
) -> None:
    answer = await http("POST", f"{path}", body)
    assert (answer.status, answer.reason) == (400, "INVALID_FIELD"), answer.body
    assert f"{field} is " in answer.message


async def test_true_stands_where_it_belongs(http: Http) -> None:
    body = {"name": "policies/B", "kinds": ["KIND_VARIABLE", 6], "requires_reason": True}
    made = await http("POST", "/v1/policies?dryRun=true", body | {"labels": {"a": "b"}})
    assert made.status == 200, made.body
    assert made.json["requiresReason"] is True
