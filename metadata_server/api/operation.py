"""Operations on the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mds.v1 import operation_pb2, operation_pb2_grpc, operation_plan_pb2, operation_step_pb2

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages.asked_list import asked_page_of
from metadata_server.api.messages.enums import PHASES, STEP_STATES, VERBS
from metadata_server.api.messages.operation import (
    operation_message,
    order_of,
    plan_message,
    step_message,
)
from metadata_server.api.messages.position import position_message, time_us_of
from metadata_server.api.messages.reading import Reading
from metadata_server.api.standard import hash_of
from metadata_server.domain.change import Caller
from metadata_server.domain.filter.vocabulary import OPERATION_STEP
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.operation import Operation
from metadata_server.domain.orchestration.operation_list import OperationSelection
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.store.store import Answer


@dataclass(frozen=True, slots=True)
class OperationParts:
    """The use cases of operations."""

    operations: Operations
    steering: Steering


class OperationsServicer(operation_pb2_grpc.OperationsServicer):
    """Gives orders, tells of them, steers them."""

    def __init__(self, parts: OperationParts) -> None:
        self._operations = parts.operations
        self._steering = parts.steering

    async def PlanOperation(
        self, request: operation_pb2.PlanOperationRequest, context: Context
    ) -> operation_plan_pb2.OperationPlan:
        answer = await self._operations.plan(order_of(request.operation))
        tell_position(context, answer.position)
        return plan_message(answer.value, answer.position)

    async def CreateOperation(
        self, request: operation_pb2.CreateOperationRequest, context: Context
    ) -> operation_pb2.Operation:
        giving = Giving(
            validate_only=request.validate_only,
            seen_plan=request.seen_plan,
            all_or_none=request.all_or_none,
            wait=request.wait,
        )
        caller = caller_for("CreateOperation", request, context)
        order = order_of(request.operation)
        return told(await self._operations.create(caller, order, giving), context)

    async def GetOperation(
        self, request: operation_pb2.GetOperationRequest, context: Context
    ) -> operation_pb2.Operation:
        return told(await self._operations.get(id_of(request.name)), context)

    async def ListOperations(
        self, request: operation_pb2.ListOperationsRequest, context: Context
    ) -> operation_pb2.ListOperationsResponse:
        answer = await self._operations.list(
            selection_of(request), size=request.page_size, token=request.page_token
        )
        tell_position(context, answer.position)
        return operation_pb2.ListOperationsResponse(
            operations=map(operation_message, answer.value.operations),
            next_page_token=answer.value.next_page_token,
            total_size=answer.value.total,
            position=position_message(answer.position),
        )

    async def ListOperationSteps(
        self, request: operation_step_pb2.ListOperationStepsRequest, context: Context
    ) -> operation_step_pb2.ListOperationStepsResponse:
        states = [STEP_STATES.member(each, field="states") for each in request.states]
        answer = await self._operations.steps(
            id_of(request.operation, field="operation"),
            asked_page_of(request, OPERATION_STEP, of=request.operation),
            states=states,
            changed_after=request.changed_after,
        )
        tell_position(context, answer.position)
        return operation_step_pb2.ListOperationStepsResponse(
            steps=map(step_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.position),
        )

    async def PauseOperation(
        self, request: operation_pb2.PauseOperationRequest, context: Context
    ) -> operation_pb2.Operation:
        return await steered(self._steering.pause, "PauseOperation", request, context)

    async def ResumeOperation(
        self, request: operation_pb2.ResumeOperationRequest, context: Context
    ) -> operation_pb2.Operation:
        return await steered(self._steering.resume, "ResumeOperation", request, context)

    async def AbortOperation(
        self, request: operation_pb2.AbortOperationRequest, context: Context
    ) -> operation_pb2.Operation:
        return await steered(self._steering.abort, "AbortOperation", request, context)

    async def RetryOperation(
        self, request: operation_pb2.RetryOperationRequest, context: Context
    ) -> operation_pb2.Operation:
        return await steered(self._steering.retry, "RetryOperation", request, context)

    async def SkipOperationSteps(
        self, request: operation_pb2.SkipOperationStepsRequest, context: Context
    ) -> operation_pb2.Operation:
        reading = Reading()
        units = [
            reading.id(Kind.CONTROL_UNIT, name, f"control_units[{place}]")
            for place, name in enumerate(request.control_units)
        ]
        reading.finish()
        caller = caller_for("SkipOperationSteps", request, context)
        answer = await self._steering.skip(
            caller, id_of(request.name), units, validate_only=request.validate_only
        )
        return told(answer, context)


async def steered(
    steer: Callable[..., Awaitable[Answer[Operation]]], method: str, request: Any, context: Context
) -> operation_pb2.Operation:
    caller = caller_for(method, request, context)
    answer = await steer(caller, id_of(request.name), validate_only=request.validate_only)
    return told(answer, context)


def told(answer: Answer[Operation], context: Context) -> operation_pb2.Operation:
    tell_position(context, answer.position)
    return operation_message(answer.value)


def caller_for(method: str, request: Any, context: Context) -> Caller:
    return caller_of(context, f"Operations.{method}", request, hash_of(request))


def id_of(name: str, *, field: str = "name") -> str:
    return Kind.OPERATION.id_of(name, field=field)


def selection_of(request: operation_pb2.ListOperationsRequest) -> OperationSelection:
    """Which operations a list is of.

    Raises:
        Refused: INVALID_ID, INVALID_FIELD.
    """
    reading = Reading()
    control_unit = reading.reference(Kind.CONTROL_UNIT, request.control_unit, "control_unit")
    campaign = reading.reference(Kind.CAMPAIGN, request.campaign, "campaign")
    reading.finish()
    return OperationSelection(
        order_by=request.order_by,
        phases=tuple(PHASES.member(each, field="phases") for each in request.phases),
        verbs=tuple(VERBS.member(each, field="verbs") for each in request.verbs),
        author=request.author,
        control_unit=control_unit,
        since_us=time_us_of(request.since),
        until_us=time_us_of(request.until),
        text=request.text,
        campaign=campaign,
        filter=request.filter,
    )
