"""An operation while its plan fills up, and how that is shown."""

import io

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.operation_step_pb2 import StepState
from rich.console import Console

from control_units.cli.operations.unfolding import Unfolding
from control_units.cli.operations.unfolding_screen import end_lines, picture, screen_for, there_text
from control_units.cli.operations.words import seconds_text
from control_units.client import Unreachable
from tests.cli.unfoldings import step, unfolding


def screen_text(shown: Unfolding) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as captured:
        console.print(picture(shown))
    return captured.get().splitlines()


def test_steps_fill_the_waves_that_they_are_of() -> None:
    shown = unfolding(
        step(0, "COMPLETED"),
        step(1, "EXECUTING"),
        step(2, "PENDING", 1, message="nobody has begun"),
    )
    shown.next = step(2, "PENDING", 1, message="LAB/U1 is not RUNNING yet")
    first, second = shown.waves()
    assert (first.number, first.counts.total(), first.ended) == (0, 2, 1)
    assert (second.ended, second.waits) == (0, "LAB/U1 is not RUNNING yet")
    shown.take([step(1, "COMPLETED"), step(2, "EXECUTING", 1)])
    first, second = shown.waves()
    assert (first.ended, second.waits) == (2, "")


def test_what_a_plan_never_begins_is_of_no_wave() -> None:
    shown = unfolding(
        step(0, "PENDING"),
        step(1, "COMPLETED", minor_state="AlreadyThere"),
        step(2, "SKIPPED", minor_state="Blocked"),
    )
    (wave,) = shown.waves()
    assert wave.counts.total() == 1
    assert there_text(shown) == "1 of 3 are there, 1 skipped, 1 waiting"


def test_the_way_back_has_waves_of_its_own_after_those_of_the_way_there() -> None:
    shown = unfolding(
        step(0, "COMPLETED"),
        step(1, "ERROR", 1),
        step(2, "EXECUTING", 0, is_way_back=True),
    )
    assert [(each.is_way_back, each.number) for each in shown.waves()] == [
        (False, 0),
        (False, 1),
        (True, 0),
    ]
    assert there_text(shown) == "1 of 2 are there, 1 failed; 0 of 1 are back"


def test_each_failure_is_new_once_and_again_when_it_was_tried_again() -> None:
    shown = unfolding(step(0, "ERROR"))
    assert len(list(shown.newly_failed())) == 1
    assert not list(shown.newly_failed())
    shown.take([step(0, "ERROR", attempts=2)])
    assert len(list(shown.newly_failed())) == 1


def test_it_is_reached_when_it_has_ended_with_every_unit_there() -> None:
    assert unfolding(step(0, "COMPLETED"), phase="COMPLETED").is_reached
    assert not unfolding(step(0, "COMPLETED"), phase="EXECUTING").is_reached
    assert not unfolding(step(0, "SKIPPED"), phase="COMPLETED").is_reached


def test_those_that_failed_are_named_before_those_that_never_began() -> None:
    shown = unfolding(step(0, "ABORTED"), step(1, "ERROR"), step(2, "COMPLETED"))
    assert [each.state for each in shown.missing()] == [
        StepState.STEP_STATE_ERROR,
        StepState.STEP_STATE_ABORTED,
    ]


def test_the_end_names_who_is_not_there_with_why_and_what_to_do() -> None:
    shown = unfolding(
        step(0, "COMPLETED"),
        step(1, "ERROR", minor_state="TimedOut", message="the mains are off"),
        phase="ERROR",
        message="1 step has failed",
        start_time=Timestamp(seconds=100),
        end_time=Timestamp(seconds=142),
    )
    first, standing, _, row, advice = end_lines(shown)
    assert first == "1 of 2 are there, 1 failed, after 42 s."
    assert "ERROR: 1 step has failed" in standing
    assert row.split(maxsplit=3) == ["LAB/U1", "ERROR", "TimedOut", "the mains are off"]
    assert advice.endswith("mds operation retry-failed 7f31")


def test_the_end_of_what_went_well_is_one_line() -> None:
    assert list(end_lines(unfolding(step(0, "COMPLETED"), phase="COMPLETED"))) == [
        "1 of 1 is there."
    ]


def test_of_an_archived_operation_the_counts_are_left() -> None:
    shown = unfolding(step(0, "COMPLETED"), phase="ARCHIVED")
    without_steps = Unfolding(shown.operation)
    assert list(end_lines(without_steps)) == ["1 of 1 are there."]


def test_a_screen_has_a_line_for_each_wave_and_says_why_one_waits() -> None:
    shown = unfolding(
        step(0, "COMPLETED"),
        step(1, "EXECUTING"),
        step(2, "PENDING", 1),
        minor_state="Running",
    )
    shown.next = step(2, "PENDING", 1, message="waits for level 1")
    title, first, second = screen_text(shown)
    assert title.strip() == "start 3 control units  EXECUTING Running"
    assert first.startswith("  wave 1")
    assert "1 of 2  1 on the way" in first
    assert "0 of 1  waits for level 1" in second


def test_one_unit_is_one_line_on_a_screen() -> None:
    (line,) = screen_text(unfolding(step(0, "EXECUTING", minor_state="OnTheWay")))
    assert line.strip() == "LAB/U0 EXECUTING OnTheWay  EXECUTING"


def test_many_waves_show_those_around_the_first_that_has_not_ended() -> None:
    waves = [step(i, "COMPLETED" if i < 30 else "PENDING", i) for i in range(60)]
    lines = screen_text(unfolding(*waves))
    assert lines[1].startswith("  wave 29")
    assert "and 28 waves before, 20 after" in lines[-1]


def test_without_a_terminal_failures_and_losses_are_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = unfolding(step(0, "ERROR", message="the mains are off"), step(1, "EXECUTING"))
    with screen_for() as screen:
        screen.show(shown)
        shown.lost = Unreachable("127.0.0.1:1", "refused")
        screen.show(shown)
        screen.show(shown)
        shown.lost = None
        screen.show(shown)
    shown_lost = "No metadata server answers at 127.0.0.1:1: refused"
    assert capsys.readouterr().err.splitlines() == [
        "! LAB/U0  ERROR  the mains are off",
        f"{shown_lost}. The operation goes on by itself; trying again …",
        "A server answers again.",
    ]


@pytest.mark.parametrize("phase", ["PENDING", "HELD", "SUSPENDED"])
def test_without_a_terminal_it_is_said_why_nothing_happens(
    phase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = unfolding(step(0, "PENDING"), phase=phase, message="somebody is at the rack")
    with screen_for() as screen:
        screen.show(shown)
        screen.show(shown)
    assert capsys.readouterr().err.splitlines() == [f"{phase}: somebody is at the rack"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8 s"),
        (42.4, "42 s"),
        (200, "3 min 20 s"),
        (120, "2 min"),
        (7500, "2 h 5 min"),
        (-1, "0.0 s"),
    ],
)
def test_spans_are_told_in_units_that_fit(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
