"""Operations end as they were planned: each step done once, or told why not, in order."""

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


def check(history: History, final: FinalState) -> Iterator[Violation]:
    orders = sorted(history.of(Ordered), key=lambda each: each.began)
    for order in orders:
        if order.outcome is Outcome.OK:
            operation = final.operations.get(order.operation)
            if operation is None:
                yield Violation(NAME, f"{order.operation} was acknowledged and is not there", (
                    _short(order),
                ))  # fmt: skip
            else:
                yield from _check_operation(order, operation)
    yield from _check_requests(final, orders)
    yield from _check_done(history, orders)


def _check_operation(order: Ordered, operation: Operation) -> Iterator[Violation]:
    if operation.phase not in ENDED:
        what = f"{order.operation} is {operation.phase} still: {operation.message}"
        yield Violation(NAME, what, (_short(order),))
        return
    steps = {each.unit: each for each in operation.steps}
    if len(steps) != len(operation.steps):
        yield Violation(NAME, f"{order.operation} has a unit twice", (_short(order),))
    for unit in sorted(order.plan.keys() - steps.keys()):
        yield Violation(NAME, f"{order.operation} has left out {unit}", (_short(order),))
    for unit in sorted(steps.keys() - order.plan.keys()):
        what = f"{order.operation} has a step of {unit}, which was not planned"
        yield Violation(NAME, what, (steps[unit],))
    for step in operation.steps:
        yield from _check_step(order, step)
    is_done = all(each.state == "COMPLETED" for each in operation.steps)
    if is_done is not (operation.phase == "COMPLETED"):
        counts = Counter(each.state for each in operation.steps)
        what = f"{order.operation} is {operation.phase}; its steps are {dict(counts)}"
        yield Violation(NAME, what, (_short(order),))
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
            yield Violation(NAME, what, (_short(order), *found))


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
                yield Violation(NAME, what, (_short(order),))


def _short(order: Ordered) -> Ordered:
    """As it is shown."""
    few = dict(list(order.plan.items())[:2])
    return Ordered(
        client=order.client, operation=order.operation, request_id=order.request_id,
        verb=order.verb, plan=few, began=order.began, ended=order.ended, outcome=order.outcome,
        reason=order.reason,
    )  # fmt: skip
