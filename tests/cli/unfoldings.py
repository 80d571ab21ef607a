"""Operations as a server would tell of them, for what shows them."""

from typing import Any

from mds.v1.operation_pb2 import Operation, OperationPhase, OrderVerb
from mds.v1.operation_step_pb2 import OperationStep, StepCounts, StepState

from control_units.cli.operations.unfolding import Unfolding

FIELDS = {
    "PENDING": "pending",
    "EXECUTING": "executing",
    "COMPLETED": "completed",
    "ERROR": "failed",
    "ABORTED": "aborted",
    "SKIPPED": "skipped",
}


def step(position: int, state: str, wave: int = 0, **fields: Any) -> OperationStep:
    return OperationStep(
        position=position,
        control_unit=f"control_units/LAB/{'back' if fields.get('is_way_back') else 'U'}{position}",
        state=StepState.Value(f"STEP_STATE_{state}"),
        wave=wave,
        **{"attempts": 1} | fields,
    )


def unfolding(*steps: OperationStep, phase: str = "EXECUTING", **fields: Any) -> Unfolding:
    """An operation with these steps; its counts are theirs."""
    counts = StepCounts(steps=len(steps))
    for each in steps:
        field = FIELDS[StepState.Name(each.state).removeprefix("STEP_STATE_")]
        setattr(counts, field, getattr(counts, field) + 1)
    operation = Operation(
        name="operations/7f31",
        verb=OrderVerb.ORDER_VERB_START,
        phase=OperationPhase.Value(f"OPERATION_PHASE_{phase}"),
        counts=counts,
        **fields,
    )
    found = Unfolding(operation)
    found.take(steps)
    return found
