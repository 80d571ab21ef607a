"""A request has one id: in the caller's hand, in the log, in the history."""

import json

from mds.v1.variable_pb2 import CreateVariableRequest, Variable

from control_units.client import Client
from tests.rest.conftest import Http
from tests.stages.replica import Replica


def lines_of(lasting_replica: Replica, request_id: str) -> list[dict[str, str]]:
    """What the log says of one request, or of parts of it."""
    lines = [
        json.loads(line) for line in lasting_replica.program.output().splitlines() if "{" in line
    ]
    return [line for line in lines if request_id in (line.get("request_id"), line.get("within"))]


async def change_set_of(http: Http, name: str) -> dict[str, str]:
    told = await http("GET", f"/v1/changes?name=variables/{name}")
    return dict(told.json["changes"][0]["changeSet"])


async def test_the_id_of_a_script_is_answered_and_stands_in_log_and_history(
    http: Http, lasting_replica: Replica
) -> None:
    variable = {"name": "variables/shift", "value": "1"}
    made = await http("POST", "/v1/variables", variable, X_Request_Id="night-shift-17")
    assert made.headers["X-Request-Id"] == "night-shift-17"
    assert (await change_set_of(http, "shift"))["requestId"] == "night-shift-17"
    (line,) = lines_of(lasting_replica, "night-shift-17")
    assert (line["event"], line["method"], line["code"]) == (
        "call", "Variables.CreateVariable", "OK",
    )  # fmt: skip


async def test_it_makes_no_call_safe_to_repeat(http: Http) -> None:
    for name in ("one", "two"):
        variable = {"name": f"variables/{name}", "value": "1"}
        made = await http("POST", "/v1/variables", variable, X_Request_Id="the-whole-script")
        assert made.status == 201
        assert (await change_set_of(http, name))["requestId"] == "the-whole-script"


async def test_a_change_that_may_be_repeated_has_its_own_id_and_is_logged_beside_the_script(
    http: Http, lasting_replica: Replica
) -> None:
    variable = {"name": "variables/once", "value": "1"}
    headers = {"X_Request_Id": "script", "Idempotency_Key": "once-1"}
    for _ in range(2):
        made = await http("POST", "/v1/variables", variable, **headers)
        assert made.headers["X-Request-Id"] == "once-1"
    assert (await change_set_of(http, "once"))["requestId"] == "once-1"
    lines = lines_of(lasting_replica, "once-1")
    assert [(line["within"], line["code"]) for line in lines] == [("script", "OK")] * 2


async def test_a_refusal_names_the_request(http: Http, lasting_replica: Replica) -> None:
    refused = await http("GET", "/v1/variables/nowhere")
    details = refused.json["error"]["details"]
    (told,) = (each for each in details if each["@type"].endswith("google.rpc.RequestInfo"))
    assert refused.headers["X-Request-Id"] == told["requestId"]
    (line,) = lines_of(lasting_replica, told["requestId"])
    assert line["reason"] == "VARIABLE_NOT_FOUND"


async def test_what_is_no_id_is_replaced_by_one(http: Http) -> None:
    assert (
        len((await http("GET", "/v1/whoami", X_Request_Id="r" * 80)).headers["X-Request-Id"]) == 64
    )
    assert " " not in (await http("GET", "/v1/whoami", X_Request_Id="a b")).headers["X-Request-Id"]


async def test_the_changes_of_a_script_have_the_ids_that_its_calls_were_sent_with(
    http: Http, lasting_replica: Replica
) -> None:
    async with Client(lasting_replica.address) as client:
        request = CreateVariableRequest(variable=Variable(name="variables/sdk", value="1"))
        await client.variables.CreateVariable(request)
    id = (await change_set_of(http, "sdk"))["requestId"]
    (line,) = lines_of(lasting_replica, id)
    assert "within" not in line
