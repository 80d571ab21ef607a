"""Units converge from wherever they are, by the rules of their life."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from mds.v1 import state_pb2

from control_units.convergence import Situation, Step, next_step
from control_units.states import State

S = State
NORMAL = [S.UNLOADED, S.LOADED, S.INITIALIZED, S.RUNNING, S.STOPPED]
ERRORS = [S.RECOVERABLE_ERROR, S.FATAL_ERROR]
TRANSITIONS = {
    Step.LOAD: ({S.UNLOADED}, S.LOADED),
    Step.INIT: ({S.LOADED, S.FATAL_ERROR}, S.INITIALIZED),
    Step.START: ({S.INITIALIZED, S.STOPPED}, S.RUNNING),
    Step.STOP: ({S.RUNNING, S.INITIALIZED}, S.STOPPED),
    Step.DEINIT: ({S.INITIALIZED, S.STOPPED, *ERRORS}, S.LOADED),
    Step.UNLOAD: ({S.LOADED, *ERRORS}, S.UNLOADED),
    Step.RECOVER: ({S.RECOVERABLE_ERROR}, S.LOADED),
}


def as_can_be(now: Situation) -> Situation:
    """The normal states say by themselves whether a unit holds hardware."""
    if now.state.is_error:
        return now
    return replace(now, holds_hardware=now.state.holds_hardware)


situations = st.builds(
    Situation,
    state=st.sampled_from(NORMAL + ERRORS),
    desired=st.sampled_from([S.UNSPECIFIED, *NORMAL]),
    is_configured=st.booleans(),
    is_recover_due=st.booleans(),
    is_init_due=st.booleans(),
    holds_hardware=st.booleans(),
    is_leaving=st.booleans(),
).map(as_can_be)


def after(step: Step, now: Situation) -> Situation:
    """What a step that succeeds leads to."""
    allowed, state = TRANSITIONS[step]
    assert now.state in allowed, f"{step} is not a way out of {now.state}"
    return replace(
        now,
        state=state,
        is_configured=now.is_configured or step is Step.INIT,
        is_recover_due=now.is_recover_due and step is not Step.RECOVER,
        holds_hardware=step is not Step.DEINIT and (now.holds_hardware or step is Step.INIT),
    )


def walk(now: Situation) -> list[Situation]:
    way = [now]
    while (step := next_step(way[-1])) is not None:
        way.append(after(step, way[-1]))
        assert len(way) < 12, "it goes round in circles"
    return way


def test_states_are_those_of_the_protocol_number_for_number() -> None:
    theirs = {name.removeprefix("STATE_"): number for name, number in state_pb2.State.items()}
    assert {each.name: each.value for each in State} == theirs


@given(situations)
def test_from_anywhere_it_comes_to_rest(now: Situation) -> None:
    walk(now)


@given(situations)
def test_it_rests_where_people_want_it_with_the_configuration_they_want(now: Situation) -> None:
    end = walk(now)[-1]
    if end.is_leaving:
        assert end.state is S.UNLOADED
    elif end.desired is not S.UNSPECIFIED and not end.state.is_error:
        assert end.state is end.desired
        assert end.is_configured or not end.state.holds_hardware


@given(situations)
def test_an_error_is_left_only_by_its_own_verb_unless_the_unit_leaves(now: Situation) -> None:
    step = next_step(now)
    if now.state.is_error and not now.is_leaving and step is not None:
        is_recover = now.state is S.RECOVERABLE_ERROR
        assert step is (Step.RECOVER if is_recover else Step.INIT)
        assert now.is_recover_due if is_recover else now.is_init_due


@given(situations)
def test_nobody_touches_a_unit_that_is_left_alone(now: Situation) -> None:
    if now.desired is S.UNSPECIFIED and now.is_configured and not now.is_leaving:
        assert now.state.is_error or next_step(now) is None


@given(situations)
def test_a_leaving_unit_lets_go_of_its_hardware_first(now: Situation) -> None:
    assert not walk(replace(now, is_leaving=True))[-1].holds_hardware


def test_a_changed_configuration_is_applied_by_a_new_init() -> None:
    now = Situation(S.RUNNING, S.RUNNING, is_configured=False, holds_hardware=True)
    states = [each.state for each in walk(now)]
    assert states == [S.RUNNING, S.STOPPED, S.LOADED, S.INITIALIZED, S.RUNNING]


def test_a_unit_that_never_ran_is_stopped_without_running() -> None:
    states = [each.state for each in walk(Situation(S.UNLOADED, S.STOPPED))]
    assert states == [S.UNLOADED, S.LOADED, S.INITIALIZED, S.STOPPED]


@given(situations)
def test_a_unit_in_maintenance_is_left_as_it_is_unless_it_leaves(now: Situation) -> None:
    left = replace(as_can_be(now), in_maintenance=True)
    if left.is_leaving:
        assert next_step(left) is next_step(replace(left, in_maintenance=False))
    else:
        assert next_step(left) is None
