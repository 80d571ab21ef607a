"""How the steps of an operation go on."""

import random
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.orchestration.advance import (
    ENDED,
    Limits,
    OnFailure,
    Run,
    StepState,
    way_back,
)
from metadata_server.domain.orchestration.ordering import Link, Member, order_of
from tests.domain.ordered import pairs, reached, without_cycles

PENDING, EXECUTING, COMPLETED, ERROR, ABORTED, SKIPPED = StepState

LIMITS = st.builds(Limits, at_once=st.integers(0, 3), a_unit_server=st.integers(0, 2))
OUTCOMES = st.lists(st.sampled_from([COMPLETED, COMPLETED, ERROR]), min_size=7, max_size=7)


def run(*members: Member, on_failure: OnFailure = OnFailure.STOP, **limits: int) -> Run:
    return Run(order_of(members), Limits(**limits), on_failure=on_failure)


@given(
    members=without_cycles(),
    descends=st.booleans(),
    limits=LIMITS,
    on_failure=st.sampled_from(OnFailure),
    outcomes=OUTCOMES,
    chance=st.randoms(),
)
def test_a_run_keeps_order_and_limits_and_ends(
    *,
    members: list[Member],
    descends: bool,
    limits: Limits,
    on_failure: OnFailure,
    outcomes: list[StepState],
    chance: random.Random,
) -> None:
    ordering = order_of(members, descends=descends)
    going = Run(ordering, limits, on_failure=on_failure)
    ids = [each.id for each in ordering.members]
    state = dict.fromkeys(ids, PENDING)
    while not going.is_over:
        begun = going.begin()
        for step in begun:
            for one, other, link in pairs(members):
                first, then = (other, one) if descends else (one, other)
                if then == ids[step]:
                    wanted = {COMPLETED} if link is Link.REQUIRES else ENDED
                    assert state[first] in wanted
        executing = [step for step, each in enumerate(going.states) if each is EXECUTING]
        assert executing, "nothing runs, and it is not over"
        assert not limits.at_once or len(executing) <= limits.at_once
        servers = Counter(
            ordering.members[step].unit_server
            for step in executing
            if ordering.members[step].unit_server
        )
        assert not limits.a_unit_server or max(servers.values(), default=0) <= limits.a_unit_server
        step = chance.choice(executing)
        going.end(step, outcomes[step])
        if chance.random() < 0.3:  # another replica takes it up from what is written down
            going = Run(ordering, limits, on_failure=on_failure, states=going.states)
        state = dict(zip(ids, going.states, strict=True))
    assert set(going.states) <= ENDED


@given(without_cycles(), OUTCOMES)
def test_where_it_goes_on_just_what_requires_a_failure_is_aborted(
    members: list[Member], outcomes: list[StepState]
) -> None:
    ordering = order_of(members)
    going = Run(ordering, Limits(), on_failure=OnFailure.CONTINUE)
    while not going.is_over:
        for step in going.begin():
            going.end(step, outcomes[step])
    ids = [each.id for each in ordering.members]
    required = reached(
        {(one, other) for one, other, link in pairs(members) if link is Link.REQUIRES}
    )
    failed = {ids[step] for step, state in enumerate(going.states) if state is ERROR}
    expected = {other for one, other in required if one in failed}
    assert {ids[step] for step, state in enumerate(going.states) if state is ABORTED} == expected
    assert {ids[step] for step in going.aborted} == expected
    assert {ids[cause] for cause in going.aborted.values()} <= failed


def test_who_requires_a_group_is_aborted_for_the_unit_of_it_that_failed() -> None:
    going = run(
        Member(id="G/1"),
        Member(id="G/2"),
        Member(id="U", requires=("G/",)),
        on_failure=OnFailure.CONTINUE,
    )
    going.begin()
    going.end(0, ERROR)
    going.end(1, COMPLETED)
    assert (going.aborted, going.is_over) == ({2: 0}, True)


def test_a_full_unit_server_holds_up_only_its_own_units() -> None:
    going = run(
        Member(id="1", unit_server="S"),
        Member(id="2", unit_server="S"),
        Member(id="3", unit_server="T"),
        a_unit_server=1,
    )
    assert going.begin() == [0, 2]
    assert going.begin() == []
    going.end(0, COMPLETED)
    assert going.begin() == [1]


@pytest.mark.parametrize("on_failure", [OnFailure.STOP, OnFailure.ROLL_BACK])
def test_after_a_failure_nothing_more_begins_and_what_runs_may_end(on_failure: OnFailure) -> None:
    going = run(Member(id="1"), Member(id="2"), Member(id="3"), on_failure=on_failure, at_once=2)
    assert going.begin() == [0, 1]
    going.end(0, ERROR)
    assert (going.begin(), going.states, going.aborted) == ([], [ERROR, EXECUTING, ABORTED], {2: 0})
    assert not going.is_over
    going.end(1, COMPLETED)
    assert going.is_over


def test_word_of_an_end_may_come_twice() -> None:
    going = run(Member(id="1"), Member(id="2"), Member(id="3"), at_once=1)
    going.begin()
    going.end(0, COMPLETED)
    going.end(0, ERROR)
    assert going.begin() == [1]
    assert (going.begin(), going.states) == ([], [COMPLETED, EXECUTING, PENDING])


def test_a_place_that_a_skipped_step_waited_for_goes_to_the_next() -> None:
    going = run(*(Member(id=str(number), unit_server="S") for number in range(3)), a_unit_server=1)
    assert going.begin() == [0]
    going.end(1, SKIPPED)
    going.end(0, COMPLETED)
    assert going.begin() == [2]


def test_who_requires_a_step_that_is_skipped_goes_on() -> None:
    going = run(Member(id="1"), Member(id="2", requires=("1",)))
    going.end(0, SKIPPED)
    assert going.begin() == [1]


def test_a_later_level_waits_for_the_first_where_the_one_between_is_given_up() -> None:
    going = run(
        Member(id="A", level=0),
        Member(id="B", level=0),
        Member(id="C", level=1, requires=("A",)),
        Member(id="D", level=2),
        on_failure=OnFailure.CONTINUE,
    )
    assert going.begin() == [0, 1]
    going.end(0, ERROR)
    assert (going.states[2], going.begin()) == (ABORTED, [])
    going.end(1, COMPLETED)
    assert going.begin() == [3]


def test_the_way_back_leads_over_what_had_begun_the_other_way_round() -> None:
    ordering = order_of(
        [
            Member(id="A"),
            Member(id="B", requires=("A",)),
            Member(id="C", level=1),
            Member(id="D", level=1),
        ]
    )
    back = way_back(ordering, [COMPLETED, COMPLETED, ERROR, ABORTED], [True] * 4)
    going = Run(back, Limits(), on_failure=OnFailure.CONTINUE)
    order = []
    while not going.is_over:
        for step in going.begin():
            order.append(back.members[step].id)
            going.end(step, COMPLETED)
    assert order == ["C", "B", "A"]


def test_a_run_of_many_steps_asked_after_each_costs_little_a_step() -> None:
    members = [
        Member(id=f"L{number % 10}/{number}", level=number % 10, unit_server=f"S{number % 100}")
        for number in range(10_000)
    ]
    going = Run(order_of(members), Limits(at_once=50, a_unit_server=2), on_failure=OnFailure.STOP)
    executing: list[int] = []
    begun = time.process_time()
    while not going.is_over:
        executing.extend(going.begin())
        going.end(executing.pop(), COMPLETED)
    # A tenth of a second; were each question as long as the order, it would be minutes.
    assert time.process_time() - begun < 5
