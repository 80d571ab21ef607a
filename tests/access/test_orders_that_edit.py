"""What takes an expert's role by a call of its own takes it as an order, too: to give it, and to
have it go on."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from mds.v1 import control_unit_pb2, edit_pb2, operation_pb2
from mds.v1.access_pb2 import ROLE_EXPERT, ROLE_OPERATOR

from control_units.client import Client, Denied
from tests.access.conftest import Guarded, bearer
from tests.stages.waiting import until
from tests.webui.magnets import declare_magnets

EDIT, START = operation_pb2.ORDER_VERB_EDIT, operation_pb2.ORDER_VERB_START
PHASE = operation_pb2.OperationPhase
UNIT = "control_units/RING/MAG/Q1"
DECLARED = {
    "unit_server": None,
    "level": "7",
    "labels[x]": "y",
    "requires": "Z",
    "parameters[ramp]": "9",
    "drivers[a].version": "2",
    "template_version": "1",
    "overrides[current].maximum": "9000",
    "overrides[current]": '{"default_value": "5"}',
    "overrides[current].default_value": None,
    "overrides": None,
    "desired_state": None,
}
"""Edits of what experts declare."""
SET = {"overrides[current].default_value": "12.5", "desired_state": "STOPPED"}
"""Edits that restored snapshots and other orders come to, as well."""


def edits(said: dict[str, str | None] | dict[str, str]) -> list[edit_pb2.FieldEdit]:
    return [edit_pb2.FieldEdit(path=path, value=value) for path, value in said.items()]


def order(*said: edit_pb2.FieldEdit) -> operation_pb2.Operation:
    return operation_pb2.Operation(
        verb=EDIT, selection=edit_pb2.UnitSelection(names=[UNIT]), edits=said
    )


def order_of_one(*said: edit_pb2.FieldEdit) -> operation_pb2.Operation:
    return operation_pb2.Operation(
        verb=EDIT, unit_edits=[operation_pb2.UnitEdits(name=UNIT, edits=said)]
    )


@pytest.fixture(autouse=True)
async def magnet(guarded: Guarded) -> None:
    async with guarded.client("admin") as admin:
        await declare_magnets(admin, UNIT.partition("/")[2])


async def give(client: Client, operation: operation_pb2.Operation, **how: Any) -> Any:
    request = operation_pb2.CreateOperationRequest(operation=operation, reason="a test", **how)
    return await client.operations.CreateOperation(request)


async def refusal(call: Awaitable[Any]) -> Denied:
    with pytest.raises(Denied) as refused:
        await call
    assert refused.value.reason == "ROLE_REQUIRED", refused.value
    return refused.value


async def read(client: Client) -> control_unit_pb2.ControlUnit:
    return await client.control_units.GetControlUnit(
        control_unit_pb2.GetControlUnitRequest(name=UNIT)
    )


async def in_phase(client: Client, name: str, phase: PHASE.ValueType) -> None:
    async def it_is() -> bool:
        asked = operation_pb2.GetOperationRequest(name=name)
        return (await client.operations.GetOperation(asked)).phase == phase

    await until(it_is, within=10, what=f"{name} to be {PHASE.Name(phase)}")


@pytest.mark.parametrize("ordered", [order, order_of_one])
async def test_an_operator_cannot_change_what_is_declared_by_an_order(
    guarded: Guarded, ordered: Callable[..., operation_pb2.Operation]
) -> None:
    async with guarded.client("operator") as operator:
        before = await read(operator)
        for path, value in DECLARED.items():
            mixed = ordered(*edits({**SET, path: value}))
            for how in ({}, {"validate_only": True}, {"wait": True}):
                refused = await refusal(give(operator, mixed, **how))
                assert refused.message == (
                    f"An order that edits {path} takes the role expert; yours is operator."
                )
        assert await read(operator) == before
        listed = await operator.operations.ListOperations(operation_pb2.ListOperationsRequest())
    assert "operator" not in {each.author for each in listed.operations}


async def test_rest_asks_for_the_same_role(guarded: Guarded, http: aiohttp.ClientSession) -> None:
    body = {
        "verb": "ORDER_VERB_EDIT",
        "selection": {"names": [UNIT]},
        "edits": [{"path": "labels[rest]", "value": "yes"}],
    }
    statuses = {}
    for role in ("viewer", "operator", "expert"):
        url, headers = f"{guarded.last.http}/v1/operations", bearer(guarded.texts[role])
        async with http.post(url, json=body, headers=headers) as answer:
            statuses[role], told = answer.status, await answer.json()
        if role == "operator":
            info = told["error"]["details"][0]
            assert info["reason"] == "ROLE_REQUIRED"
            assert info["metadata"] == {"needed": "expert", "had": "operator"}
    assert statuses == {"viewer": 403, "operator": 403, "expert": 201}
    async with guarded.client("expert") as expert:

        async def is_labelled() -> bool:
            return (await read(expert)).labels["rest"] == "yes"

        await until(is_labelled, within=10, what="the label that was ordered")
    assert told["role"] == "ROLE_EXPERT"


async def test_an_operator_sets_what_a_restored_snapshot_and_other_orders_set(
    guarded: Guarded,
) -> None:
    async with guarded.client("operator") as operator:
        given = await give(operator, order_of_one(*edits(SET)))
        assert given.role == ROLE_OPERATOR

        async def is_set() -> bool:
            return [each.default_value for each in (await read(operator)).overrides] == ["12.5"]

        await until(is_set, within=10, what="the value that was ordered")
        await give(operator, order(*edits({"recover_count": "+1"})))
        started = await give(
            operator, operation_pb2.Operation(verb=START, selection=order().selection)
        )
        assert started.role == ROLE_OPERATOR
        await operator.operations.AbortOperation(
            operation_pb2.AbortOperationRequest(name=started.name)
        )


async def test_anybody_sees_what_an_edit_would_do(guarded: Guarded) -> None:
    async with guarded.client("viewer") as viewer:
        asked = operation_pb2.PlanOperationRequest(operation=order(*edits({"level": "7"})))
        plan = await viewer.operations.PlanOperation(asked)
    assert [each.control_unit for each in plan.steps] == [UNIT]


@pytest.mark.parametrize("ordered", [order, order_of_one])
async def test_an_operator_stops_what_an_expert_edits_and_does_not_set_it_going(
    guarded: Guarded, ordered: Callable[..., operation_pb2.Operation]
) -> None:
    async with guarded.client("expert") as expert, guarded.client("operator") as operator:
        given = await give(expert, ordered(*edits({"level": "7"})), wait=True)
        assert given.role == ROLE_EXPERT
        name = given.name
        steering = operator.operations
        calls: list[Callable[[bool], Awaitable[Any]]] = [
            lambda dry: steering.ResumeOperation(
                operation_pb2.ResumeOperationRequest(name=name, validate_only=dry)
            ),
            lambda dry: steering.RetryOperation(
                operation_pb2.RetryOperationRequest(name=name, validate_only=dry)
            ),
            lambda dry: steering.SkipOperationSteps(
                operation_pb2.SkipOperationStepsRequest(
                    name=name, control_units=[UNIT], validate_only=dry
                )
            ),
        ]
        for call in calls:
            for dry in (True, False):
                assert (await refusal(call(dry))).message.startswith(f"To have {name} go on takes")
        assert (await read(operator)).level != 7
        await steering.PauseOperation(operation_pb2.PauseOperationRequest(name=name))
        await steering.AbortOperation(operation_pb2.AbortOperationRequest(name=name))
        await in_phase(operator, name, PHASE.OPERATION_PHASE_ABORTED)
        await refusal(steering.RetryOperation(operation_pb2.RetryOperationRequest(name=name)))
