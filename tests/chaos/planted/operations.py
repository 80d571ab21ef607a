"""Operations that do not end as they were planned."""

from collections.abc import Callable

from msgspec.structs import replace

from tests.chaos.final_state import Operation
from tests.chaos.history import (
    Done,
    Ordered,
    Outcome,
)
from tests.chaos.planted.doctoring import one_of, pick, put
from tests.chaos.valid_histories import Story


def an_operation(story: Story, wanted: Callable[[Operation], bool] = bool) -> str:
    return pick(story, [name for name, each in story.operations.items() if wanted(each)])


def doctor_step(story: Story, name: str, place: int = 0, **fields: object) -> None:
    operation = story.operations[name]
    steps = list(operation.steps)
    steps[place] = replace(steps[place], **fields)
    story.operations[name] = replace(operation, steps=tuple(steps))


def is_completed(operation: Operation) -> bool:
    return operation.phase == "COMPLETED"


def begin_a_step_twice(story: Story) -> None:
    doctor_step(story, an_operation(story), attempts=2)


def skip_a_step(story: Story) -> None:
    name = an_operation(story)
    operation = story.operations[name]
    story.operations[name] = replace(operation, steps=operation.steps[1:])


def add_a_step(story: Story) -> None:
    name = an_operation(story)
    operation = story.operations[name]
    more = replace(operation.steps[0], unit="control_units/OTHER")
    story.operations[name] = replace(operation, steps=(*operation.steps, more))


def plan_a_unit_twice(story: Story) -> None:
    name = an_operation(story)
    operation = story.operations[name]
    story.operations[name] = replace(operation, steps=(*operation.steps, operation.steps[0]))


def leave_a_step_under_way(story: Story) -> None:
    doctor_step(story, an_operation(story), state="EXECUTING")


def fail_without_saying_so(story: Story) -> None:
    doctor_step(story, an_operation(story, is_completed), state="ERROR", message="it fails")


def fail_without_a_reason(story: Story) -> None:
    name = an_operation(story, is_completed)
    doctor_step(story, name, state="ERROR", message="")
    story.operations[name] = replace(story.operations[name], phase="ERROR")


def end_a_step(story: Story, minor_state: str, state: str, *, deadline_us: int = 0) -> None:
    """It says so itself, and so does its operation."""
    name = an_operation(story, is_completed)
    doctor_step(
        story, name, state=state, minor_state=minor_state, message="why", deadline_us=deadline_us
    )
    story.operations[name] = replace(story.operations[name], phase=state)


def fail_without_a_fault(story: Story) -> None:
    end_a_step(story, story.rng.choice(["UnitFailed", "Refused"]), "ERROR")


def leave_out_a_unit(story: Story) -> None:
    end_a_step(story, "Blocked", "SKIPPED")


def blame_another_step(story: Story) -> None:
    end_a_step(story, story.rng.choice(["AfterFailure", "RequiredFailed"]), "ABORTED")


def give_up_too_early(story: Story) -> None:
    end_a_step(story, "TimedOut", "ERROR", deadline_us=10**15)


def take_a_unit_over(story: Story) -> None:
    """For an order that nobody has given."""
    story.records = [
        each
        for each in story.records
        if not (isinstance(each, Ordered) and each.outcome is Outcome.UNKNOWN)
    ]
    end_a_step(story, "Superseded", "ABORTED")


def never_end(story: Story) -> None:
    name = an_operation(story)
    story.operations[name] = replace(story.operations[name], phase="EXECUTING")


def begin_a_level_too_early(story: Story) -> None:
    name = an_operation(story, is_completed)
    doctor_step(story, name, place=2, began_us=1, ended_us=10**15)


def forget_an_order(story: Story) -> None:
    del story.operations[an_operation(story)]


def carry_out_a_refused_order(story: Story) -> None:
    order = one_of(story, Ordered, lambda each: each.outcome is Outcome.OK)
    put(story, order, replace(order, outcome=Outcome.REFUSED))


def do_it_twice(story: Story) -> None:
    done = one_of(story, Done)
    put(story, done, done, done)
