"""What operations and their steps are, in words."""

from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.operation_pb2 import OnFailure, Operation, OperationPhase, OrderVerb
from mds.v1.operation_plan_pb2 import OperationPlan
from mds.v1.operation_step_pb2 import OperationStep, StepState

from control_units.cli.output.problems import counted
from control_units.cli.output.writing import plain_of
from control_units.client.words import word_of

COUNTED = (
    ("executing", StepState.STEP_STATE_EXECUTING, "on the way"),
    ("failed", StepState.STEP_STATE_ERROR, "failed"),
    ("aborted", StepState.STEP_STATE_ABORTED, "aborted"),
    ("skipped", StepState.STEP_STATE_SKIPPED, "skipped"),
    ("pending", StepState.STEP_STATE_PENDING, "waiting"),
)
"""Field of StepCounts, state of a step, and the word that people read."""

COLOURS: Mapping[OperationPhase.ValueType, str] = {
    OperationPhase.OPERATION_PHASE_COMPLETED: "green",
    OperationPhase.OPERATION_PHASE_ERROR: "red",
    OperationPhase.OPERATION_PHASE_ABORTED: "magenta",
    OperationPhase.OPERATION_PHASE_PENDING: "yellow",
    OperationPhase.OPERATION_PHASE_HELD: "yellow",
    OperationPhase.OPERATION_PHASE_SUSPENDED: "yellow",
}


def bare(name: str) -> str:
    """The id alone."""
    return name.partition("/")[2]


def phase_word(operation: Operation) -> str:
    return word_of(OperationPhase, operation.phase)


def verb_word(verb: OrderVerb.ValueType) -> str:
    return word_of(OrderVerb, verb).lower()


def step_word(step: OperationStep) -> str:
    return word_of(StepState, step.state)


def failure_word(policy: OnFailure.ValueType) -> str:
    known = policy or OnFailure.ON_FAILURE_STOP
    return word_of(OnFailure, known).lower().replace("_", "-")


def order_text(operation: Operation) -> str:
    """`start 14 control units`."""
    return f"{verb_word(operation.verb)} {counted(operation.counts.steps, 'control_unit')}"


def rest_text(counts: Mapping[StepState.ValueType, int]) -> str:
    """Whatever is not done: `3 on the way, 1 failed`."""
    return ", ".join(f"{counts[state]} {word}" for _, state, word in COUNTED if counts.get(state))


def counts_text(operation: Operation) -> str:
    """`12 of 14, 1 failed, 1 waiting`."""
    counts = operation.counts
    rest = rest_text({state: getattr(counts, field) for field, state, _ in COUNTED})
    return f"{counts.completed} of {counts.steps}" + (f", {rest}" if rest else "")


def standing_text(operation: Operation) -> str:
    """Phase, minor state and message, as far as they are there."""
    minor = f" {operation.minor_state}" if operation.minor_state else ""
    message = f": {operation.message}" if operation.message else ""
    return f"{phase_word(operation)}{minor}{message}"


def step_row(step: OperationStep) -> tuple[str, str, str, str]:
    """Id, and the three fields that say how it is."""
    back = " (back)" if step.is_way_back else ""
    return f"{bare(step.control_unit)}{back}", step_word(step), step.minor_state, step.message


def seconds_text(seconds: float) -> str:
    """How long, with a tenth only where it is short: `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    for unit, size, rest, small in (("h", 3600, 60, "min"), ("min", 60, 1, "s")):
        if whole >= size:
            left = whole % size // rest
            return f"{whole // size} {unit}" + (f" {left} {small}" if left else "")
    return f"{whole} s"


def lasted_text(operation: Operation) -> str:
    """From its first step to its end, or until now; empty: it has not begun."""
    if not operation.HasField("start_time"):
        return ""
    end = moment(operation.end_time) if operation.HasField("end_time") else datetime.now(UTC)
    return seconds_text((end - moment(operation.start_time)).total_seconds())


def left_text(operation: Operation) -> str:
    """`about 40 s left`; empty: nobody can tell."""
    if not operation.HasField("estimated_end_time") or operation.HasField("end_time"):
        return ""
    left = (moment(operation.estimated_end_time) - datetime.now(UTC)).total_seconds()
    return f"about {seconds_text(round(left))} left" if left >= 1 else "about to end"


def moment(time: Timestamp) -> datetime:
    return time.ToDatetime(UTC)


def fields_of(message: Operation | OperationStep | OperationPlan) -> dict[str, object]:
    """As the protocol's JSON has it."""
    return plain_of(message)
