"""The course of an operation, taken up from its steps wherever it stood."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.advance import ENDED, OnFailure, StepState
from metadata_server.domain.orchestration.course import Course
from metadata_server.domain.orchestration.operation import (
    Minor,
    Operation,
    Order,
    Phase,
    StepCounts,
    counts_of,
    end_of,
    sentence,
)
from metadata_server.domain.orchestration.operation_step import Step, StepMinor, Verdict
from metadata_server.domain.orchestration.order_plan import Verb

REACHED = Verdict(StepState.COMPLETED, StepMinor.REACHED)
FAILED = Verdict(StepState.ERROR, StepMinor.FAILED, "no mains")
REFUSED = Verdict(StepState.ERROR, StepMinor.REFUSED, "guards/beam forbids it")


def operation(**order: object) -> Operation:
    return Operation(
        id="1",
        key=1,
        order=Order(verb=Verb.START, **order),  # type: ignore[arg-type]
        phase=Phase.EXECUTING,
        minor_state=Minor.RUNNING,
    )


def steps(*levels: int) -> list[Step]:
    return [
        Step(
            position=position,
            unit_key=position + 100,
            id=f"U{position:03}",
            level=level,
            target=State.RUNNING,
            found=State.STOPPED,
        )
        for position, level in enumerate(levels)
    ]


def begin(course: Course, most: int = 1000) -> list[int]:
    """What begins now, as if it had been written."""
    some = course.next_to_begin(most, now_us=0)
    told = {"state": StepState.EXECUTING, "minor_state": StepMinor.ON_THE_WAY, "start_time_us": 1}
    course.begun(replace(each, **told) for each in some)  # type: ignore[arg-type]
    return [each.position for each in some]


def test_a_level_begins_when_the_one_before_has_ended() -> None:
    course = Course(operation(), steps(0, 0, 1))
    assert begin(course) == [0, 1]
    course.take({0: REACHED}, {})
    assert begin(course) == []
    course.take({1: REACHED}, {})
    assert begin(course) == [2]
    course.take({2: REACHED}, {})
    assert course.is_over
    assert course.counts({}) == StepCounts(completed=3)


def test_many_begin_a_part_at_a_time() -> None:
    course = Course(operation(), steps(*[0] * 5))
    assert [begin(course, 2) for _ in range(4)] == [[0, 1], [2, 3], [4], []]
    assert not course.is_over


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.data())
def test_one_that_was_taken_up_anywhere_goes_on_as_if_it_had_not_been(
    levels: list[int], data: st.DataObject
) -> None:
    """Every step begins once, and none before all of the levels below have ended, however often
    another replica takes the operation up from what is stored."""
    stored = {each.position: each for each in steps(*levels)}
    course = Course(operation(on_failure=OnFailure.CONTINUE), list(stored.values()))
    begun: list[int] = []
    for _ in range(200):
        if course.is_over:
            break
        if data.draw(st.booleans()):
            course = Course(course.operation, list(stored.values()))
        for position in begin(course, data.draw(st.integers(1, 3))):
            below = [each for each in stored.values() if each.level < stored[position].level]
            assert all(each.state in ENDED for each in below)
            begun.append(position)
            stored[position] = course.step(position)
        if course.under_way:
            ended = data.draw(st.sampled_from(sorted(course.under_way)))
            verdict = data.draw(st.sampled_from([REACHED, FAILED]))
            course.take({ended: verdict}, {})
            stored[ended] = course.step(ended)
    assert course.is_over
    assert sorted(begun) == sorted(stored)


def test_steps_have_their_turns_by_what_their_units_are_now_not_by_their_positions() -> None:
    """An order that waited: its units have other names and levels than when it was planned."""
    gone, *waited = steps(1, 0, 0)
    renamed = replace(waited[1], id="A")
    skipped = replace(gone, state=StepState.SKIPPED, minor_state=StepMinor.SKIPPED)
    course = Course(operation(), [skipped, waited[0], renamed])
    assert begin(course) == [2, 1]
    course.take({1: FAILED}, {})
    assert course.under_way == {2}
    assert course.step(1).state is StepState.ERROR
    course = Course(operation(), [gone, waited[0], renamed])
    begin(course)
    course.take({2: FAILED}, {})
    assert course.ended_by_rule() == {
        0: Verdict(StepState.ABORTED, StepMinor.AFTER_FAILURE, "A has failed")
    }


def test_what_has_not_been_resumed_is_not_out_of_time() -> None:
    late = replace(operation(), deadline_us=10)
    assert Course(late, steps(0)).is_out_of_time(11)
    assert not Course(replace(late, phase=Phase.PENDING), steps(0)).is_out_of_time(11)


def test_after_a_failure_the_rest_is_ended_by_rule_and_says_by_whom() -> None:
    course = Course(operation(), steps(0, 1))
    begin(course)
    course.take({0: FAILED}, {})
    by_rule = course.ended_by_rule()
    assert by_rule == {1: Verdict(StepState.ABORTED, StepMinor.AFTER_FAILURE, "U000 has failed")}
    course.take(by_rule, {})
    assert not course.ended_by_rule()
    assert course.is_over
    assert course.end().phase is Phase.ERROR


def test_the_way_back_follows_the_steps_in_the_opposite_order() -> None:
    given_steps = steps(0, 1, 2)
    course = Course(operation(on_failure=OnFailure.ROLL_BACK), given_steps)
    for verdict in (REACHED, FAILED):
        (position,) = begin(course)
        course.take({position: verdict}, {})
    course.take(course.ended_by_rule(), {})
    back = course.way_back()
    assert [(each.position, each.id, each.target) for each in back] == [
        (3, "U001", State.STOPPED),
        (4, "U000", State.STOPPED),
    ]
    stored = [course.step(each.position) for each in given_steps]
    turned = Course(replace(course.operation, minor_state=Minor.ROLLING_BACK), [*stored, *back])
    assert begin(turned) == [3]
    turned.take({3: REACHED}, {})
    assert begin(turned) == [4]
    turned.take({4: REACHED}, {})
    assert turned.is_over
    assert not turned.way_back()
    assert turned.end().minor_state is Minor.TAKEN_BACK


def test_the_way_back_leaves_out_what_was_refused_before_it_was_told() -> None:
    course = Course(operation(on_failure=OnFailure.ROLL_BACK), steps(0, 1))
    begin(course)
    course.take({0: REACHED}, {})
    assert [each.position for each in course.next_to_begin(1, now_us=0)] == [1]
    course.take({1: REFUSED}, {})
    assert [each.id for each in course.way_back()] == ["U000"]


def test_where_nothing_was_told_there_is_no_way_back() -> None:
    course = Course(operation(on_failure=OnFailure.ROLL_BACK), steps(0))
    course.next_to_begin(1, now_us=0)
    course.take({0: REFUSED}, {})
    assert course.is_over
    assert not course.way_back()


def test_what_was_told_and_is_refused_when_it_is_tried_again_is_taken_back() -> None:
    told = [replace(each, start_time_us=1) for each in steps(0)]
    course = Course(operation(on_failure=OnFailure.ROLL_BACK), told)
    course.next_to_begin(1, now_us=0)
    course.take({0: REFUSED}, {})
    assert [each.id for each in course.way_back()] == ["U000"]


def test_a_step_that_is_tried_again_waits_twice_as_long_each_time() -> None:
    course = Course(operation(most_attempts=5, retry_delay_us=10), steps(0))
    waits = Verdict(StepState.EXECUTING, StepMinor.WAITING_TO_RETRY)
    tried = replace(course.step(0), state=StepState.EXECUTING)
    found = [
        course.deadline_us(replace(tried, attempts=attempts), waits, 1_000)
        for attempts in (1, 2, 3)
    ]
    assert found == [1_010, 1_020, 1_040]


def test_it_begins_again_when_it_is_time() -> None:
    stored = replace(
        steps(0)[0],
        state=StepState.EXECUTING,
        minor_state=StepMinor.WAITING_TO_RETRY,
        deadline_us=100,
    )
    course = Course(operation(most_attempts=2), [stored])
    assert not course.next_to_begin(10, now_us=99)
    assert course.next_to_begin(10, now_us=100) == [stored]


def test_the_end_is_told_by_what_matters_most() -> None:
    def end(counts: StepCounts, minor: str = "Running", *, superseded: int = 0) -> tuple[str, str]:
        found = end_of(counts, minor, is_taken_back=False, superseded=superseded, failure="A: no")
        return found.phase, found.minor_state

    assert end(StepCounts(completed=2, skipped=1)) == ("COMPLETED", "Done")
    assert end(StepCounts(completed=1, failed=1)) == ("ERROR", "StepsFailed")
    assert end(StepCounts(aborted=1), superseded=1) == ("ABORTED", "Superseded")
    assert end(StepCounts(failed=1, aborted=1), "Aborting") == ("ABORTED", "AbortedByPerson")
    assert end(StepCounts(aborted=1), "TimedOut") == ("ABORTED", "TimedOut")


def test_people_are_told_how_many_came_there() -> None:
    counts = counts_of([StepState.COMPLETED] * 298 + [StepState.ERROR, StepState.SKIPPED])
    assert sentence(counts) == "298 of 300 are there, 1 failed, 1 left out."


def test_an_estimate_follows_its_own_pace_once_a_tenth_is_done() -> None:
    planned = replace(
        operation(),
        start_time_us=1_000,
        update_time_us=1_100,
        estimate_us=500,
        counts=StepCounts(pending=99, completed=1),
    )
    assert planned.estimated_end_us(1_100) == 1_500
    going = replace(planned, counts=StepCounts(pending=90, completed=10))
    assert going.estimated_end_us(1_100) == 2_000
    assert replace(going, phase=Phase.COMPLETED).estimated_end_us(1_100) == 0
