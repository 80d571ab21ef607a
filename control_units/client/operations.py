"""Orders to control units, and following them to their end."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, cast

from mds.v1.edit_pb2 import UnitSelection
from mds.v1.kind_pb2 import Kind
from mds.v1.operation_pb2 import Operation, OperationPhase, OrderVerb
from mds.v1.operation_step_pb2 import ListOperationStepsRequest, OperationStep, StepState
from mds.v1.view_pb2 import View

from control_units.client.changes import Changes
from control_units.client.collections import Reading, pages_of
from control_units.client.errors import ClientError
from control_units.client.words import word_of

_ENDED = frozenset(
    {
        OperationPhase.OPERATION_PHASE_COMPLETED,
        OperationPhase.OPERATION_PHASE_ERROR,
        OperationPhase.OPERATION_PHASE_ABORTED,
        OperationPhase.OPERATION_PHASE_ARCHIVED,
    }
)


class NotReached(ClientError):
    """An operation has ended before all was done.

    Attributes:
        operation: as it ended.
        failed: its steps that failed.
    """

    def __init__(self, operation: Operation, failed: Iterable[OperationStep]) -> None:
        self.operation = operation
        self.failed = tuple(failed)
        phase = word_of(OperationPhase, operation.phase)
        super().__init__(f"{operation.name} has ended as {phase}: {operation.message}")


class Ordering(Reading[Operation]):
    """Operations."""

    async def order(
        self,
        verb: OrderVerb.ValueType,
        units: UnitSelection | Iterable[str],
        *,
        reason: str = "",
        settings: Operation | None = None,
        wait: bool = False,
        all_or_none: bool = False,
        timeout: float | None = None,
    ) -> "RunningOperation":
        """Gives an order, which is carried out whether or not anybody follows it.

        Args:
            units: which: a selection, or their ids.
            settings: how: what people may set of an operation besides (`at_once`, `on_failure`).
            wait: plans and stops there, until somebody resumes it.
            all_or_none: refused if anything stands against any unit; else those are left out.

        Raises:
            Precondition: units are blocked; `violations` names each.
        """
        operation = Operation()
        if settings is not None:
            operation.CopyFrom(settings)
        operation.verb = verb
        operation.selection.CopyFrom(selection_of(units))
        fields = {
            "operation": operation,
            "reason": reason,
            "wait": wait,
            "all_or_none": all_or_none,
        }
        return RunningOperation(self, await self._call("CreateOperation", fields, timeout))

    async def follow(self, id: str, *, timeout: float | None = None) -> "RunningOperation":
        """An operation that somebody has ordered.

        Raises:
            NotFound: there is none of this id.
        """
        return RunningOperation(self, await self.get(id, timeout=timeout))

    def changes_of(self, operation: Operation) -> Changes:
        """Word of each change of an operation, from now on."""
        return Changes(
            self._caller,
            [Kind.KIND_OPERATION],
            id_prefix=self.id(operation),
            view=View.VIEW_BASIC,
        )

    async def steps(
        self,
        id: str,
        *states: StepState.ValueType,
        filter: str = "",
        order_by: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[OperationStep]:
        """The steps of an operation; of some states, or all.

        Args:
            filter: in the language of filters: `attempts>1 message:timeout`.
            order_by: a key, with ` desc` for the opposite order; empty: that of its plan.
        """
        request = ListOperationStepsRequest(
            operation=self.name(id), states=states, filter=filter, order_by=order_by
        )
        call: Any = getattr(self, "ListOperationSteps")  # noqa: B009 - it is the stub's
        async for page in pages_of(call, request, timeout):
            for step in page.steps:
                yield step

    async def steer(
        self, verb: str, id: str, *, reason: str = "", timeout: float | None = None
    ) -> Operation:
        """Has an operation `Pause`, `Resume`, `Abort` or `Retry`."""
        fields = {"name": self.name(id), "reason": reason}
        return cast(Operation, await self._call(f"{verb}Operation", fields, timeout))


class RunningOperation:
    """An operation that is followed: `await running.done()`, or `async for operation in running`
    for each change until it has ended. It goes on if nobody follows it.

    Attributes:
        operation: as it was when it was last looked at.
    """

    operation: Operation

    def __init__(self, operations: Ordering, operation: Operation) -> None:
        self._operations = operations
        self.operation = operation

    @property
    def id(self) -> str:
        return self._operations.id(self.operation)

    @property
    def is_over(self) -> bool:
        return self.operation.phase in _ENDED

    async def done(self, *, timeout: float | None = None) -> Operation:
        """Waits until it has ended, with all done.

        Raises:
            NotReached: it has ended otherwise.
            TimeoutError: it has not ended in that many seconds; it goes on.
        """
        async with asyncio.timeout(timeout):
            async for _ in self:
                pass
        if self.operation.phase == OperationPhase.OPERATION_PHASE_COMPLETED:
            return self.operation
        failed = self._operations.steps(self.id, StepState.STEP_STATE_ERROR)
        raise NotReached(self.operation, [step async for step in failed])

    async def __aiter__(self) -> AsyncIterator[Operation]:
        async with self._operations.changes_of(self.operation) as changes:
            is_first = True
            # It begins with now, and with a word at once: nothing in between is missed.
            async for word in changes:
                if word.events or is_first:
                    is_first = False
                    self.operation = await self._operations.get(self.id)
                    yield self.operation
                if self.is_over:
                    return

    async def pause(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Begins no further step until it is resumed."""
        await self._steer("Pause", reason, timeout)

    async def resume(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Lets it go on."""
        await self._steer("Resume", reason, timeout)

    async def abort(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Ends all steps that have not begun."""
        await self._steer("Abort", reason, timeout)

    async def retry(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Begins again the steps that failed."""
        await self._steer("Retry", reason, timeout)

    async def _steer(self, verb: str, reason: str, timeout: float | None) -> None:
        self.operation = await self._operations.steer(verb, self.id, reason=reason, timeout=timeout)


def selection_of(units: UnitSelection | Iterable[str]) -> UnitSelection:
    if isinstance(units, UnitSelection):
        return units
    named = [units] if isinstance(units, str) else list(units)
    prefix = "control_units/"
    return UnitSelection(names=[f"{prefix}{each.removeprefix(prefix)}" for each in named])
