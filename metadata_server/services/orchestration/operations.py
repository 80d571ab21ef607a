"""Operations as people give them, read them and steer them; `advancing` carries them on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.change import Caller
from metadata_server.domain.filter.asked_list import AskedList, ListPage
from metadata_server.domain.intent.policy import touched
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import (
    Minor,
    Operation,
    Order,
    Phase,
    counts_of,
    operation_id,
)
from metadata_server.domain.orchestration.operation_list import OperationSelection
from metadata_server.domain.orchestration.operation_step import Step
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.orchestration.order_role import check_giving, role_of
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.orchestration.barred_steps import held_off
from metadata_server.services.orchestration.holding import held
from metadata_server.services.orchestration.operation_plans import Planned, plan, told
from metadata_server.services.orchestration.step_waits import with_waits
from metadata_server.services.orchestration.supersession import (
    end_as_superseded,
    superseded_by,
    taken_over,
)
from metadata_server.store import requests
from metadata_server.store.keys import new_key
from metadata_server.store.orchestration.campaigns import join_campaign, steps_had
from metadata_server.store.orchestration.operation_lists import OperationPage, operation_page
from metadata_server.store.orchestration.operation_steps import insert_steps, step_page
from metadata_server.store.orchestration.operations import get_operation, insert_operation
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """How an order is given.

    Attributes:
        seen_plan: digest of the plan that it must be; empty: any.
        all_or_none: it is refused where any unit is blocked.
        wait: it is planned, and waits for somebody to resume it.
    """

    validate_only: bool = False
    seen_plan: str = ""
    all_or_none: bool = False
    wait: bool = False


class Operations:
    """Gives orders, and tells of them.

    Args:
        on_due: is called when a replica should look for operations to carry on.
    """

    def __init__(self, store: Store, *, on_due: Callable[[], None]) -> None:
        self._store = store
        self._on_due = on_due

    async def plan(self, order: Order) -> Answer[Planned]:
        """What an order would do.

        Raises:
            Refused: see `operation_plans.plan`.
        """
        # An edit is tried out, which locks what it is about; all else only reads.
        run = self._store.transact if order.verb is Verb.EDIT else self._store.read
        return await run(lambda unit: plan(unit, order))

    async def create(self, caller: Caller, order: Order, giving: Giving) -> Answer[Operation]:
        """Gives an order.

        Raises:
            Refused: see `operation_plans.plan`; ROLE_REQUIRED, UNITS_BLOCKED, PLAN_MOVED,
                REASON_REQUIRED, REQUEST_ID_REUSED.
        """

        def work(unit: UnitOfWork) -> Operation:
            check_giving(order, caller.principal.role)
            first = None if giving.validate_only else requests.repeated(unit)
            if first is not None:
                return get_operation(unit, first.answer["id"])
            planned = plan(unit, order)
            check(unit, planned, giving)
            return created(unit, caller, order, planned, giving)

        answer = await self._store.transact(work, caller=caller)
        self._on_due()
        return answer

    async def get(self, id: str) -> Answer[Operation]:
        """An operation.

        Raises:
            Refused: OPERATION_NOT_FOUND.
        """
        return await self._store.read(lambda unit: get_operation(unit, id))

    async def list(
        self, selection: OperationSelection, *, size: int, token: str
    ) -> Answer[OperationPage]:
        """A page of operations.

        Raises:
            Refused: INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        return await self._store.read(
            lambda unit: operation_page(unit, selection, size=size, token=token)
        )

    async def steps(
        self, id: str, asked: AskedList, *, states: Collection[StepState], changed_after: int
    ) -> Answer[ListPage[Step]]:
        """A page of steps, each that waits with what it waits for.

        Raises:
            Refused: OPERATION_NOT_FOUND, INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """

        def work(unit: UnitOfWork) -> ListPage[Step]:
            operation = get_operation(unit, id)
            page = step_page(unit, operation.key, asked, states=states, changed_after=changed_after)
            return replace(page, items=with_waits(unit, operation, page.items))

        return await self._store.read(work)


def check(unit: UnitOfWork, planned: Planned, giving: Giving) -> None:
    """Passes when an order may be given.

    Raises:
        Refused: UNITS_BLOCKED, PLAN_MOVED, REASON_REQUIRED.
    """
    blocked = planned.order.blocked
    if giving.all_or_none and blocked:
        faults = [
            WrongField(
                "operation.selection",
                id,
                f"a unit that is not blocked: {told(each)}",
                "UNITS_BLOCKED",
            )
            for id, each in sorted(blocked.items())
        ]
        raise Refused.wrong_fields(faults)
    if giving.seen_plan and giving.seen_plan != planned.digest:
        raise Refused.moved(
            "PLAN_MOVED",
            "The order would not do any more what the plan said: other units are selected, are "
            "there already, are blocked, or would be left without what they require; something "
            "else would be written, or other operations would end. Plan again.",
            [],
        )
    acted_on = planned.order.ordering.members
    unit.check_reason(touched(planned.units[each.id]) for each in acted_on)


def created(
    unit: UnitOfWork, caller: Caller, order: Order, planned: Planned, giving: Giving
) -> Operation:
    """The new operation, written unless it is only tried."""
    steps = planned.steps()
    phase, minor = Phase.QUEUED, Minor.WAITING_FOR_REPLICA
    if giving.wait:
        phase, minor = Phase.PENDING, Minor.WAITING_FOR_START
    why = held_off(unit, order, steps) if order.stage and not giving.wait else ""
    operation = Operation(
        id=operation_id(unit.now_us, secrets.token_hex(3)),
        key=new_key(),
        order=order,
        phase=phase,
        minor_state=minor,
        author=caller.principal.name,
        authenticated=caller.principal.authenticated,
        reason=caller.reason,
        create_time_us=unit.now_us,
        deadline_us=0 if giving.wait else order.deadline_us(unit.now_us),
        estimate_us=planned.estimate_us,
        counts=counts_of(each.state for each in steps),
        campaign_key=planned.campaign_key,
        trace=caller.trace,
        role=role_of(order),
    )
    if why:
        operation = held(operation, why)
    if giving.validate_only:
        return operation
    return write(unit, operation, steps)


def write(unit: UnitOfWork, operation: Operation, steps: Sequence[Step]) -> Operation:
    """Writes an operation, and ends what it takes the place of, unless it is to wait, for people or
    for a mode: all locks come before the revision, as everywhere."""
    begins = operation.phase is Phase.QUEUED
    own = taken_over(steps if begins else ())
    older = superseded_by(unit, operation.order, own)
    had = steps_had(unit, operation.campaign_key, [each.unit_key for each in steps])
    insert_steps(unit, operation.key, steps)
    join_campaign(unit, operation, had)
    due_us = None if operation.phase is Phase.PENDING else unit.now_us
    written = insert_operation(unit, operation, due_us=due_us)
    end_as_superseded(unit, older, own, by=written)
    requests.remember(unit, {"id": operation.id})
    return written
