"""When a step has come to its end, from what is declared and what the unit said last."""

from dataclasses import replace

import pytest

from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation_step import Seen, Step, overdue, verdict_of
from metadata_server.domain.orchestration.order_plan import Verb

STEP = Step(
    position=0,
    unit_key=1,
    id="A",
    state=StepState.EXECUTING,
    target=State.RUNNING,
    generation=5,
    recover_count=2,
)
ALIVE = Seen(
    1,
    "A",
    generation=5,
    intent_revision=50,
    desired=State.RUNNING,
    recover_count=2,
    state=State.INITIALIZED,
    reached_generation=4,
    reached_recover_count=2,
    report_revision=60,
    contact=Contact.ALIVE,
)


def verdict(seen: Seen, step: Step = STEP, verb: Verb = Verb.START) -> tuple[str, str]:
    found = verdict_of(step, verb, seen)
    return found.state, found.minor_state


def test_a_unit_is_there_when_it_says_so_of_the_generation_that_was_asked_for() -> None:
    assert verdict(ALIVE) == ("EXECUTING", "OnTheWay")
    early = ALIVE._replace(state=State.RUNNING)
    assert verdict(early) == ("EXECUTING", "OnTheWay")
    assert verdict(early._replace(reached_generation=5)) == ("COMPLETED", "Reached")
    later = early._replace(generation=7, reached_generation=7)
    assert verdict(later) == ("COMPLETED", "Reached")


def test_a_unit_that_is_wanted_elsewhere_by_now_is_given_up() -> None:
    stopped = ALIVE._replace(generation=6, desired=State.STOPPED)
    assert verdict(stopped) == ("ABORTED", "Superseded")
    left_alone = ALIVE._replace(generation=6, desired=State.UNSPECIFIED)
    assert verdict_of(STEP, Verb.START, left_alone).message == "by now nobody wants anything of it"
    assert verdict(Seen(1)) == ("ABORTED", "UnitGone")


@pytest.mark.parametrize("contact", [Contact.NONE, Contact.LOST])
def test_words_of_a_session_that_has_ended_count_for_nothing(contact: Contact) -> None:
    gone = ALIVE._replace(state=State.RUNNING, reached_generation=5, contact=contact)
    assert verdict(gone) == ("EXECUTING", "OutOfTouch")


def test_a_unit_whose_process_said_good_bye_is_unloaded() -> None:
    step = Step(position=0, unit_key=1, id="A", target=State.UNLOADED, generation=5)
    gone = ALIVE._replace(desired=State.UNLOADED, contact=Contact.NONE)
    assert verdict(gone, step, Verb.UNLOAD) == ("COMPLETED", "Reached")
    lost = gone._replace(contact=Contact.LOST)
    assert verdict(lost, step, Verb.UNLOAD) == ("EXECUTING", "OutOfTouch")


def test_a_unit_in_error_has_failed_once_it_has_acted_on_the_order() -> None:
    failed = ALIVE._replace(state=State.RECOVERABLE_ERROR, message="no mains")
    assert verdict(failed) == ("ERROR", "UnitFailed")
    assert "no mains" in verdict_of(STEP, Verb.START, failed).message
    told_to_recover = failed._replace(reached_recover_count=1)
    assert verdict(told_to_recover) == ("EXECUTING", "OnTheWay")
    recovers = failed._replace(recovers=True)
    assert verdict(recovers) == ("EXECUTING", "Recovering")
    fatal = ALIVE._replace(state=State.FATAL_ERROR)
    assert verdict(fatal) == ("ERROR", "UnitFailed")
    assert verdict(fatal._replace(report_revision=40)) == ("EXECUTING", "OnTheWay")


@pytest.mark.parametrize("state", [State.FATAL_ERROR, State.RECOVERABLE_ERROR, State.RUNNING])
def test_what_was_seen_before_the_order_says_nothing_of_it(state: State) -> None:
    before = ALIVE._replace(generation=4, desired=State.UNSPECIFIED, state=state)
    assert verdict(before) == ("EXECUTING", "OnTheWay")
    assert verdict(before._replace(contact=Contact.NONE), verb=Verb.EDIT)[0] == "EXECUTING"


def test_an_edit_has_ended_when_it_is_written_where_nobody_can_use_it_yet() -> None:
    step = Step(position=0, unit_key=1, id="A", generation=5)
    assert verdict(ALIVE, step, Verb.EDIT) == ("EXECUTING", "OnTheWay")
    used = ALIVE._replace(reached_generation=5)
    assert verdict(used, step, Verb.EDIT) == ("COMPLETED", "Reached")
    for later in (
        ALIVE._replace(contact=Contact.NONE),
        ALIVE._replace(state=State.RECOVERABLE_ERROR),
    ):
        assert verdict(later, step, Verb.EDIT) == ("COMPLETED", "Written")


def test_what_is_late_says_where_it_stands() -> None:
    late = overdue(STEP, ALIVE._replace(message="warming up"), 90_000_000)
    assert (late.state, late.minor_state) == ("ERROR", "TimedOut")
    assert late.message == "not there after 90 s: it is INITIALIZED (warming up)"


@pytest.mark.parametrize(
    ("contact", "unit_server", "expected"),
    [
        (Contact.LOST, "MAG_0", ", contact LOST with unit_servers/MAG_0 (warming up)"),
        (Contact.LOST, "", ", contact LOST (warming up)"),
        (Contact.NONE, "", ", and no unit server hosts it (warming up)"),
        (
            Contact.NONE,
            "MAG_0",
            ", and no unit server hosts it; it was to be on unit_servers/MAG_0 (warming up)",
        ),
    ],
)
def test_what_is_late_says_whom_nobody_hears(
    contact: Contact, unit_server: str, expected: str
) -> None:
    step = replace(STEP, unit_server=unit_server)
    late = overdue(step, ALIVE._replace(contact=contact, message="warming up"), 90_000_000)
    assert late.message == f"not there after 90 s: it is INITIALIZED{expected}"


def test_a_unit_is_taken_back_to_what_people_wanted_before_or_to_where_it_stood() -> None:
    def back(desired: State, found: State) -> State:
        step = Step(position=0, unit_key=1, id="A", desired=desired, found=found)
        return step.way_back_target

    assert back(State.STOPPED, State.RUNNING) is State.STOPPED
    assert back(State.UNSPECIFIED, State.LOADED) is State.LOADED
    assert back(State.UNSPECIFIED, State.FATAL_ERROR) is State.UNSPECIFIED
