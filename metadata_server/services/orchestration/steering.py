"""People steer operations: they pause, resume, abort, try again, leave out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from metadata_server.domain.change import Caller
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import (
    BREAKING_OFF,
    ENDED_PHASES,
    Minor,
    Operation,
    Phase,
)
from metadata_server.domain.orchestration.operation_step import RETRIED, Step, StepMinor
from metadata_server.domain.orchestration.order_role import check_going_on
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.orchestration.barred_steps import held_off
from metadata_server.services.orchestration.holding import held
from metadata_server.services.orchestration.supersession import (
    lock_with_older,
    rewrite,
    take_over,
)
from metadata_server.services.orchestration.waiting_orders import (
    begin_from_now,
    check_plan,
)
from metadata_server.store import requests
from metadata_server.store.orchestration.operation_steps import set_steps, states_of_steps, steps_of
from metadata_server.store.orchestration.operations import get_operation
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

Steer = Callable[[UnitOfWork, Operation], Operation]
"""Changes the steps of a locked operation, and gives it as it shall be written."""

SKIPPABLE = (StepState.PENDING, StepState.EXECUTING, StepState.ERROR, StepState.ABORTED)


class Steering:
    """Every verb fences off the replica that carries the operation on; the next finds it as it
    was left.

    Args:
        on_due: is called when a replica should look for operations to carry on.
    """

    def __init__(self, store: Store, *, on_due: Callable[[], None]) -> None:
        self._store = store
        self._on_due = on_due

    async def pause(self, caller: Caller, id: str, *, validate_only: bool) -> Answer[Operation]:
        """Raises: Refused: OPERATION_NOT_FOUND, OPERATION_ENDED, REQUEST_ID_REUSED."""
        return await self._steer(caller, id, paused, validate_only=validate_only)

    async def resume(self, caller: Caller, id: str, *, validate_only: bool) -> Answer[Operation]:
        """Raises: Refused: as of `pause`; ROLE_REQUIRED, PLAN_MOVED."""
        return await self._steer(caller, id, resumed, validate_only=validate_only, goes_on=True)

    async def abort(self, caller: Caller, id: str, *, validate_only: bool) -> Answer[Operation]:
        """Raises: Refused: as of `pause`."""
        return await self._steer(caller, id, aborted, validate_only=validate_only)

    async def retry(self, caller: Caller, id: str, *, validate_only: bool) -> Answer[Operation]:
        """
        Raises:
            Refused: OPERATION_NOT_FOUND, ROLE_REQUIRED, NOTHING_TO_RETRY, REQUEST_ID_REUSED.
        """
        return await self._steer(caller, id, retried, validate_only=validate_only, goes_on=True)

    async def skip(
        self, caller: Caller, id: str, units: Sequence[str], *, validate_only: bool
    ) -> Answer[Operation]:
        """Goes on as if the steps of some units, by their ids, were done.

        Raises:
            Refused: as of `pause`; ROLE_REQUIRED, INVALID_FIELD.
        """

        def skip(unit: UnitOfWork, operation: Operation) -> Operation:
            return skipped(unit, operation, units)

        return await self._steer(caller, id, skip, validate_only=validate_only, goes_on=True)

    async def _steer(
        self,
        caller: Caller,
        id: str,
        steer: Steer,
        *,
        validate_only: bool,
        goes_on: bool = False,
    ) -> Answer[Operation]:
        """
        Args:
            goes_on: more of its steps begin by that, so that it takes what giving it took.
        """

        def work(unit: UnitOfWork) -> Operation:
            first = None if validate_only else requests.repeated(unit)
            if first is not None:
                return get_operation(unit, first.answer["id"])
            if steer is resumed and begins(waiting := get_operation(unit, id)):
                lock_with_older(unit, waiting)
            operation = get_operation(unit, id, lock=True)
            if goes_on:
                check_going_on(operation, caller.principal.role)
            if validate_only:
                # What would be refused is refused; what would be written is not.
                checked(unit, operation, steer)
                return operation
            steered = steer(unit, operation)
            if steered is not operation:
                steered = rewrite(unit, steered)
            requests.remember(unit, {"id": id})
            return steered

        answer = await self._store.transact(work, caller=caller)
        self._on_due()
        return answer


def checked(unit: UnitOfWork, operation: Operation, steer: Steer) -> None:
    """Raises: Refused: OPERATION_ENDED, NOTHING_TO_RETRY, as far as its phase tells; PLAN_MOVED."""
    if steer is retried:
        check_retriable(operation)
        return
    check_open(operation)
    if steer is resumed and begins(operation):
        check_plan(unit, operation)


def check_open(operation: Operation) -> None:
    if operation.has_ended:
        raise Refused.precondition(
            "OPERATION_ENDED",
            f"{operation.name} has ended: it is {operation.phase}. mds operation retry-failed "
            "begins again what failed.",
            name=operation.name,
            phase=operation.phase,
        )


def begins(operation: Operation) -> bool:
    """Whether nothing of it has begun yet, and that is so until it is resumed."""
    is_paused = operation.phase is Phase.SUSPENDED
    return operation.phase is Phase.PENDING or (is_paused and not operation.start_time_us)


def check_retriable(operation: Operation) -> None:
    if operation.minor_state == Minor.TAKEN_BACK:
        raise nothing_to_retry(operation, "it was taken back; give the order again")
    if operation.phase in {Phase.COMPLETED, Phase.ARCHIVED}:
        raise nothing_to_retry(operation, f"it is {operation.phase}")


def nothing_to_retry(operation: Operation, why: str) -> Refused:
    return Refused.precondition(
        "NOTHING_TO_RETRY",
        f"{operation.name} has no step to begin again: {why}.",
        name=operation.name,
    )


def paused(_: UnitOfWork, operation: Operation) -> Operation:
    check_open(operation)
    if operation.phase not in {Phase.QUEUED, Phase.EXECUTING, Phase.HELD}:
        return operation
    if operation.minor_state in BREAKING_OFF:  # it begins nothing more as it is
        return operation
    return replace(operation, phase=Phase.SUSPENDED, minor_state=Minor.PAUSED, message="")


def resumed(unit: UnitOfWork, operation: Operation) -> Operation:
    """One that was paused has the deadline that it had: what was to happen by then is not wanted
    later. One that was planned to wait takes time, and units from older ones, from now on; where a
    guard forbids it yet, it is held, and takes no units before that lets it go."""
    check_open(operation)
    if operation.phase not in {Phase.SUSPENDED, Phase.PENDING}:
        return operation
    deadline_us = operation.deadline_us
    if operation.phase is Phase.PENDING:
        deadline_us = operation.order.deadline_us(unit.now_us)
    queued = replace(
        operation,
        phase=Phase.QUEUED,
        minor_state=Minor.WAITING_FOR_REPLICA,
        message="",
        deadline_us=deadline_us,
    )
    if not begins(operation):
        return queued
    begin_from_now(unit, operation)
    if operation.order.stage:
        why = held_off(unit, operation.order, steps_of(unit, operation.key))
        if why:
            return held(queued, why)
    take_over(unit, operation)
    return queued


def aborted(unit: UnitOfWork, operation: Operation) -> Operation:
    """One that was given up while it was aborted is taken up again."""
    check_open(operation)
    if operation.minor_state == Minor.ABORTING and not operation.message:
        return operation
    pending = steps_of(unit, operation.key, states=[StepState.PENDING])
    set_steps(
        unit,
        operation.key,
        [each.position for each in pending],
        was=(StepState.PENDING,),
        state=StepState.ABORTED.value,
        minor_state=StepMinor.ABORTED.value,
        end_time_us=unit.now_us,
    )
    return replace(operation, phase=Phase.EXECUTING, minor_state=Minor.ABORTING, message="")


def retried(unit: UnitOfWork, operation: Operation) -> Operation:
    check_retriable(operation)
    if any(is_way_back for *_, is_way_back in states_of_steps(unit, operation.key)):
        raise nothing_to_retry(operation, "it is being taken back; give the order again after that")
    steps = steps_of(unit, operation.key, states=[StepState.ERROR, StepState.ABORTED])
    again = [each.position for each in steps if each.minor_state in RETRIED]
    if not again:
        raise nothing_to_retry(operation, "none failed that later orders have not taken over")
    set_steps(
        unit,
        operation.key,
        again,
        was=(StepState.ERROR, StepState.ABORTED),
        state=StepState.PENDING.value,
        minor_state=StepMinor.WAITING.value,
        message="",
        end_time_us=0,
        deadline_us=0,
    )
    if operation.phase not in ENDED_PHASES and operation.minor_state not in BREAKING_OFF:
        return replace(operation, message="")
    return replace(
        operation,
        phase=Phase.QUEUED,
        minor_state=Minor.WAITING_FOR_REPLICA,
        message="",
        end_time_us=0,
        deadline_us=operation.order.deadline_us(unit.now_us),
    )


def skipped(unit: UnitOfWork, operation: Operation, ids: Sequence[str]) -> Operation:
    """An operation that has failed may be skipped through, too, and then tried again."""
    if operation.phase in {Phase.COMPLETED, Phase.ARCHIVED}:
        check_open(operation)
    steps = {each.id: each for each in steps_of(unit, operation.key) if not each.is_way_back}
    faults = [fault for place, id in enumerate(ids) if (fault := not_skippable(steps, id, place))]
    if faults or not ids:
        what = WrongField("control_units", "", "at least one unit of the operation")
        raise Refused.wrong_fields(faults or [what])
    set_steps(
        unit,
        operation.key,
        {steps[id].position for id in ids},
        was=SKIPPABLE,
        state=StepState.SKIPPED.value,
        minor_state=StepMinor.SKIPPED.value,
        message="",
        end_time_us=unit.now_us,
    )
    return replace(operation, message="")


def not_skippable(steps: dict[str, Step], id: str, place: int) -> WrongField | None:
    field = f"control_units[{place}]"
    if id not in steps:
        return WrongField(field, id, "a unit of the operation")
    state = steps[id].state
    if state not in SKIPPABLE:
        return WrongField(field, id, f"a unit whose step has not come to its end; it is {state}")
    return None
