"""Operations end as they were planned: each step done once, or told why not, in order; and not, only
for what a fault explains."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState, Operation, Step
from tests.chaos.history import Done, History, Ordered, Outcome

NAME = "operations end as planned"
ENDED = frozenset({"COMPLETED", "ERROR", "ABORTED"})
STEP_ENDED = frozenset({"COMPLETED", "ERROR", "ABORTED", "SKIPPED"})
FIRST_LEVELS_LAST = frozenset({"STOP", "DEINIT", "UNLOAD"})
BEGINS = {"START": "starts", "STOP": "stops"}
TIMED_OUT, SUPERSEDED = "TimedOut", "Superseded"
FOLLOWING = frozenset({"AfterFailure", "RequiredFailed"})
"""Ends of steps that the ends of others have led to."""
CLOCK_ERROR_US = 1_000_000
"""By which a deadline may seem to be early: times are of whichever database node was asked."""


def check(history: History, final: FinalState) -> Iterator[Violation]:
    orders = sorted(history.of(Ordered), key=lambda each: each.began)
    has_rivals = _has_rivals(history)
    for order in orders:
        if order.outcome is Outcome.OK:
            operation = final.operations.get(order.operation)
            if operation is None:
                yield Violation(NAME, f"{order.operation} was acknowledged and is not there", (
                    without_plan(order),
                ))  # fmt: skip
            else:
                yield from _check_operation(order, operation)
                yield from _check_ends(order, operation, has_rivals=has_rivals)
    yield from _check_requests(final, orders)
    yield from _check_done(history, orders)


def not_done(history: History, final: FinalState) -> Iterator[Violation]:
    """Steps that have not come there, which nothing explains where nothing was broken."""
    allowed = {SUPERSEDED} if _has_rivals(history) else set[str]()
    for name, operation in sorted(final.operations.items()):
        left = [each for each in operation.steps if each.state != "COMPLETED"]
        left = [each for each in left if each.minor_state not in allowed]
        if left:
            what = (
                f"nothing was broken, and {len(left)} of {len(operation.steps)} steps of {name} "
                "have not come there"
            )
            yield Violation(NAME, what, tuple(left[:2]))


def _has_rivals(history: History) -> bool:
    """Whether an order may have been given of which nobody knows: it may come at any time, and take
    units over from others."""
    return any(each.outcome is Outcome.UNKNOWN for each in history.of(Ordered))


def _check_operation(order: Ordered, operation: Operation) -> Iterator[Violation]:
    if operation.phase not in ENDED:
        what = f"{order.operation} is {operation.phase} still: {operation.message}"
        yield Violation(NAME, what, (without_plan(order),))
        return
    steps = {each.unit: each for each in operation.steps}
    if len(steps) != len(operation.steps):
        yield Violation(NAME, f"{order.operation} has a unit twice", (without_plan(order),))
    for unit in sorted(order.plan.keys() - steps.keys()):
        yield Violation(NAME, f"{order.operation} has left out {unit}", (without_plan(order),))
    for unit in sorted(steps.keys() - order.plan.keys()):
        what = f"{order.operation} has a step of {unit}, which was not planned"
        yield Violation(NAME, what, (steps[unit],))
    for step in operation.steps:
        yield from _check_step(order, step)
    is_done = all(each.state == "COMPLETED" for each in operation.steps)
    if is_done is not (operation.phase == "COMPLETED"):
        counts = Counter(each.state for each in operation.steps)
        what = f"{order.operation} is {operation.phase}; its steps are {dict(counts)}"
        yield Violation(NAME, what, (without_plan(order),))
    yield from _check_levels(order, operation)


def _check_step(order: Ordered, step: Step) -> Iterator[Violation]:
    if step.state not in STEP_ENDED:
        what = f"{order.operation} has ended, and its step of {step.unit} is {step.state}"
        yield Violation(NAME, what, (step,))
    if step.attempts > 1:
        what = f"{order.operation} has begun its step of {step.unit} {step.attempts} times"
        yield Violation(NAME, what, (step,))
    if step.state != "COMPLETED" and not step.message:
        what = f"{order.operation} does not say why {step.unit} is {step.state}"
        yield Violation(NAME, what, (step,))


def _check_ends(order: Ordered, operation: Operation, *, has_rivals: bool) -> Iterator[Violation]:
    """A fault may keep a unit from coming there in time, and then others do not begin. Devices that
    are none never fail, and nobody but one client orders or steers anything."""
    left = [each for each in operation.steps if each.state in STEP_ENDED - {"COMPLETED"}]
    by_end = defaultdict[str, list[Step]](list)
    for step in left:
        by_end[step.minor_state].append(step)
    for end, steps in by_end.items():
        why = ""
        if end in FOLLOWING:
            why = "" if by_end.keys() - FOLLOWING else "none has failed that they could follow"
        elif end == TIMED_OUT:
            why = "there was time left" if any(map(_had_time, steps)) else ""
        elif end != SUPERSEDED or not has_rivals:
            why = "no fault explains it"
        if why:
            what = f"{order.operation} has ended {len(steps)} of its steps as {end!r}: {why}"
            yield Violation(NAME, what, (without_plan(order), *steps[:2]))


def _had_time(step: Step) -> bool:
    return step.ended_us + CLOCK_ERROR_US < step.deadline_us


def _check_levels(order: Ordered, operation: Operation) -> Iterator[Violation]:
    """No step begins before those of the level before have ended."""
    levels = defaultdict[int, list[Step]](list)
    for step in operation.steps:
        if step.began_us:
            levels[step.level].append(step)
    ordered = sorted(levels, reverse=order.verb in FIRST_LEVELS_LAST)
    for earlier, later in pairwise(ordered):
        last = max(levels[earlier], key=lambda each: each.ended_us)
        first = min(levels[later], key=lambda each: each.began_us)
        if first.began_us < last.ended_us:
            what = f"{order.operation} began level {later} before level {earlier} had ended"
            yield Violation(NAME, what, (last, first))


def _check_requests(final: FinalState, orders: list[Ordered]) -> Iterator[Violation]:
    """One call is one operation; one that was refused is none."""
    for order in orders:
        found = [each for each in final.change_sets if each.request_id == order.request_id]
        if order.outcome is Outcome.REFUSED and found:
            what = f"an order was given that was refused ({order.reason})"
            yield Violation(NAME, what, (without_plan(order), *found))


def _check_done(history: History, orders: list[Ordered]) -> Iterator[Violation]:
    """No process was told twice to do the same to a unit between two orders."""
    for number, order in enumerate(orders):
        verb = BEGINS.get(order.verb)
        until = orders[number + 1].began if number + 1 < len(orders) else float("inf")
        if verb is None:
            continue
        counts = Counter(
            (each.unit, each.process)
            for each in history.of(Done)
            if each.what == verb and order.began <= each.at < until and each.unit in order.plan
        )
        for (unit, process), count in counts.items():
            if count > 1:
                what = f"{unit} {verb} {count} times in process {process} for {order.operation}"
                yield Violation(NAME, what, (without_plan(order),))


def without_plan(order: Ordered) -> Ordered:
    """As it is shown."""
    few = dict(list(order.plan.items())[:2])
    return Ordered(
        client=order.client, operation=order.operation, request_id=order.request_id,
        verb=order.verb, plan=few, began=order.began, ended=order.ended, outcome=order.outcome,
        reason=order.reason,
    )  # fmt: skip
