"""What must be so after an operation, whatever has struck meanwhile."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.operation_pb2 import Operation, OrderVerb
from mds.v1.operation_step_pb2 import OperationStep, StepState

from tests.operations.ground import Note
from tests.operations.section import phase

DONE = StepState.STEP_STATE_COMPLETED


def ended_as_planned(
    operation: Operation, steps: Iterable[OperationStep], failing: Collection[str]
) -> None:
    """All units are there; of those that fail each is named, and no other."""
    failed = {id_of(each) for each in steps if each.state == StepState.STEP_STATE_ERROR}
    assert failed == set(failing), f"{failed} have failed, {set(failing)} were to fail"
    expected = "ERROR" if failing else "COMPLETED"
    assert phase(operation) == expected, f"{phase(operation)}: {operation.message}"
    assert all(each in operation.message for each in failing), operation.message
    if not failing:
        assert operation.counts.completed == operation.counts.steps, operation.counts


def told_once(
    steps: Iterable[OperationStep],
    before: Mapping[str, ControlUnit],
    after: Mapping[str, ControlUnit],
) -> None:
    """Each unit was told as often as steps about it have begun: its declaration shows it."""
    begun = Counter[str]()
    for each in steps:
        assert each.attempts <= 1, f"{each.control_unit} was begun {each.attempts} times"
        begun[id_of(each)] += each.attempts
    grown = {id: after[id].generation - before[id].generation for id in after}
    assert grown == {id: begun[id] for id in after}


def done_once(notes: Iterable[Note], verb: str) -> None:
    """No process was told twice to do the same to a unit."""
    counts = Counter((each.id, each.process) for each in notes if each.what == verb)
    twice = {id: count for (id, _), count in counts.items() if count > 1}
    assert not twice, f"{verb} more than once: {twice}"


def told_in_order(
    operation: Operation, steps: Iterable[OperationStep], levels: Mapping[str, int]
) -> None:
    """No step began before all those of the level before had ended; ways back the other way."""
    began = defaultdict[tuple[bool, int], list[int]](list)
    ended = defaultdict[tuple[bool, int], list[int]](list)
    for each in steps:
        if each.attempts:
            group = (each.is_way_back, levels[id_of(each)])
            began[group].append(each.start_time.ToNanoseconds())
            ended[group].append(each.end_time.ToNanoseconds())
    descends = operation.verb == OrderVerb.ORDER_VERB_STOP
    for is_back in (False, True):
        groups = sorted((each for each in began if each[0] is is_back), reverse=descends != is_back)
        for earlier, later in pairwise(groups):
            assert max(ended[earlier]) <= min(began[later]), f"{later} began before {earlier} ended"


def done_in_order(
    operation: Operation, notes: Iterable[Note], levels: Mapping[str, int], unwell: Collection[str]
) -> None:
    """No unit began before all those of the level before were done, by their own word.

    Args:
        notes: of processes that were there when the order was given: a later one does of itself
            whatever is wanted of its units.
    """
    is_start = operation.verb == OrderVerb.ORDER_VERB_START
    begins, ends = ("starts", "started") if is_start else ("stops", "stopped")
    began, done = defaultdict[int, list[float]](list), defaultdict[int, list[float]](list)
    for each in notes:
        if each.what == begins:
            began[levels[each.id]].append(each.time)
        if each.what == ends and each.id not in unwell:
            done[levels[each.id]].append(each.time)
    for earlier, later in pairwise(sorted(began, reverse=not is_start)):
        last, next_ = max(done[earlier], default=0.0), min(began[later])
        assert last <= next_, f"level {later} began {last - next_:.3f} s before {earlier} was done"


def unsettled(
    declared: Mapping[str, ControlUnit],
    reported: Mapping[str, ControlUnitStatus],
    failing: Collection[str],
) -> list[str]:
    """Units that are not where people want them."""
    return [
        id
        for id, unit in declared.items()
        if id not in failing and reported[id].state != unit.desired_state
    ]


def id_of(step: OperationStep) -> str:
    return step.control_unit.partition("/")[2]
