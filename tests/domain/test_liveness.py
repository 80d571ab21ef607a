"""Rules of sessions: who is let in, who is in touch, and what a report makes of a status."""

from dataclasses import replace
from typing import Any

import pytest

from metadata_server.domain.life.admission import admit, clock
from metadata_server.domain.life.report import (
    MAXIMUM_PASSED,
    Before,
    Passed,
    Report,
    reported,
)
from metadata_server.domain.life.session import (
    EndReason,
    Lease,
    Observer,
    Session,
    contact_of,
    due_contact,
)
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused

NOW = 1_000_000_000
SECOND = 1_000_000
CLEAR = Observer(sweep_us=NOW - SECOND, node="n1")
BLIND = Observer(NOW, "n1", blind_since_us=NOW - 2 * SECOND, blind_until_us=NOW + 18 * SECOND)
SESSION = Session(id="s", unit_server="US", unit_server_key=1, incarnation="first")
SUSPECT_US = Timing(20 * SECOND, 5 * SECOND).suspect_us


def lease(*, ends_in_s: float, beat_s_ago: float, ended: bool = False) -> Lease:
    end_us, beat_us = NOW + round(ends_in_s * SECOND), NOW - round(beat_s_ago * SECOND)
    return Lease("s", end_us, beat_us, ended)


@pytest.mark.parametrize(
    ("held", "observer", "contact"),
    [
        (lease(ends_in_s=19, beat_s_ago=1), CLEAR, Contact.ALIVE),
        (lease(ends_in_s=9.1, beat_s_ago=10.9), CLEAR, Contact.ALIVE),
        (lease(ends_in_s=8, beat_s_ago=12), CLEAR, Contact.SUSPECT),
        (lease(ends_in_s=0, beat_s_ago=20), CLEAR, Contact.LOST),
        (lease(ends_in_s=18, beat_s_ago=3), BLIND, Contact.UNKNOWN),
        (lease(ends_in_s=19, beat_s_ago=1), BLIND, Contact.ALIVE),
        (lease(ends_in_s=-5, beat_s_ago=3), BLIND, Contact.UNKNOWN),
        (lease(ends_in_s=-5, beat_s_ago=1), BLIND, Contact.ALIVE),
    ],
)
def test_contact_follows_from_the_lease_unless_nobody_could_see(
    held: Lease, observer: Observer, contact: Contact
) -> None:
    assert due_contact(held, observer, NOW, SUSPECT_US) is contact


def test_an_ended_session_has_the_contact_that_it_ended_with() -> None:
    ended = replace(SESSION, end_time_us=NOW - SECOND, contact=Contact.LOST)
    assert contact_of(ended, lease(ends_in_s=-1, beat_s_ago=30), BLIND, NOW) is Contact.LOST


def test_a_blindness_is_told_before_a_sweep_has_written_it() -> None:
    alive = replace(SESSION, contact=Contact.ALIVE)
    assert contact_of(alive, lease(ends_in_s=9, beat_s_ago=9), BLIND, NOW) is Contact.UNKNOWN
    assert contact_of(alive, lease(ends_in_s=9, beat_s_ago=9), CLEAR, NOW) is Contact.ALIVE


@pytest.mark.parametrize(
    ("now_us", "node", "was_blind"),
    [
        (NOW, "n1", False),
        (NOW + 6 * SECOND, "n1", True),
        (NOW - 2 * SECOND, "n1", True),
        (NOW, "n2", True),
    ],
    ids=["looked just now", "a gap", "time went back", "another node"],
)
def test_when_the_observer_was_blind(now_us: int, node: str, *, was_blind: bool) -> None:
    assert CLEAR.was_blind(now_us, node, tolerance_us=6 * SECOND) is was_blind
    after = CLEAR.looks(now_us, node, tolerance_us=6 * SECOND, lease_us=20 * SECOND)
    grace = (now_us, now_us + 20 * SECOND) if was_blind else (0, 0)
    assert (after.blind_since_us, after.blind_until_us) == grace


def admitted(last: Session | None, held: Lease | None, **changes: object) -> tuple[bool, object]:
    said: dict[str, object] = {"incarnation": "second", "take_over": False} | changes
    found = admit(
        last,
        held,
        runs_until_us=held.end_us if held else 0,
        now_us=NOW,
        **said,  # type: ignore[arg-type]
    )
    return found.resumes is not None, found.ends


RUNS = lease(ends_in_s=10, beat_s_ago=10)
RAN_OUT = lease(ends_in_s=-1, beat_s_ago=21)


@pytest.mark.parametrize(
    ("last", "held", "changes", "expected"),
    [
        (None, None, {}, (False, None)),
        (SESSION, replace(RUNS, ended=True), {}, (False, None)),
        (replace(SESSION, end_time_us=NOW), RUNS, {}, (False, None)),
        (SESSION, RAN_OUT, {}, (False, EndReason.SUPERSEDED)),
        (SESSION, RAN_OUT, {"incarnation": "first"}, (False, EndReason.SUPERSEDED)),
        (SESSION, RUNS, {"incarnation": "first"}, (True, None)),
        (SESSION, RUNS, {"take_over": True}, (False, EndReason.TAKEN_OVER)),
    ],
)
def test_who_is_let_in(
    last: Session | None,
    held: Lease | None,
    changes: dict[str, object],
    expected: tuple[bool, object],
) -> None:
    assert admitted(last, held, **changes) == expected


def test_who_is_not_let_in() -> None:
    with pytest.raises(Refused, match="ALREADY_RUNNING") as refused:
        admitted(SESSION, RUNS)
    assert refused.value.metadata["lease_end"] == clock(RUNS.end_us)
    assert refused.value.retry_after_ms == 10_001


def test_times_of_the_database_read_as_iso_8601() -> None:
    assert clock(1_700_000_000_123_456) == "2023-11-14T22:13:20.123Z"


BEFORE = Before("A/PS", 1, "US", "s", State.LOADED, NOW - 60 * SECOND)


STEADY = 77 * SECOND
"""The server's steady clock, at the moment at which the database's says NOW."""


def became(before: Before, report: Report) -> int:
    """Since when, in microseconds from now."""
    after = reported(before, report, now_us=NOW, steady_us=STEADY, dataset="")
    return after.state_time_us - NOW


def a_report(state: State, *, age_s: float = 0, sequence: int = 2, **changes: Any) -> Report:
    since_us = STEADY - round(age_s * SECOND)
    return Report("A/PS", sequence, state, since_us)._replace(**changes)


def test_a_state_began_its_age_ago() -> None:
    assert became(BEFORE, a_report(State.RUNNING, age_s=5)) == -5 * SECOND


def test_nothing_begins_in_the_future() -> None:
    assert became(BEFORE, a_report(State.RUNNING, age_s=-3600)) == 0


def test_a_state_that_is_told_again_keeps_its_time() -> None:
    assert became(BEFORE, a_report(State.LOADED, age_s=60.3)) == -60 * SECOND


def test_a_state_that_was_left_and_reached_again_has_its_new_time() -> None:
    passed = (Passed(State.RUNNING, STEADY - 5 * SECOND),)
    assert became(BEFORE, a_report(State.LOADED, age_s=1, passed=passed)) == -1 * SECOND


def test_reports_that_are_written_together_keep_the_way() -> None:
    older = a_report(State.LOADED, age_s=3, message="built", sequence=1)
    merged = a_report(State.RUNNING, age_s=0.5).after(older)
    assert merged.passed == (Passed(State.LOADED, STEADY - 3 * SECOND, "built"),)
    assert (merged.state, merged.sequence) == (State.RUNNING, 2)


def test_the_way_of_reports_written_together_is_in_their_order() -> None:
    older = a_report(State.STOPPED, sequence=1, passed=(Passed(State.LOADED, 1),))
    newer = a_report(State.RUNNING, passed=(Passed(State.INITIALIZED, 3),))
    states = [each.state for each in newer.after(older).passed]
    assert states == [State.LOADED, State.STOPPED, State.INITIALIZED]


def test_the_same_state_told_twice_is_no_way() -> None:
    older, newer = a_report(State.RUNNING, sequence=1), a_report(State.RUNNING)
    assert newer.after(older).passed == ()


def test_of_a_unit_that_flaps_the_last_states_are_kept() -> None:
    flapping = a_report(
        State.RUNNING, passed=tuple(Passed(State.STOPPED, n) for n in range(MAXIMUM_PASSED))
    )
    merged = a_report(State.STOPPED, sequence=3).after(flapping)
    assert len(merged.passed) == MAXIMUM_PASSED
    assert merged.passed[-1].state is State.RUNNING
