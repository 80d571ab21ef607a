"""What the cluster shall stand, and what is said of it where it does not."""

import pytest
from msgspec.structs import replace

from tests.chaos.goals import NOTHING, missed, told
from tests.chaos.report import report
from tests.chaos.rounds import Result

WRITES = "a replica is killed: without writes"
KILLED = Result(
    fault="replica killed", load="idle", number=1, units=100, write_outage_s=0.4, one_writer_s=0.9,
    resumed_s=(0.1, 0.2), ended="2026-11-22T07:00:00Z",
)  # fmt: skip
LATE = replace(KILLED, load="boot storm", write_outage_s=2.9)


def line(results: list[Result], what: str) -> str:
    (found,) = [each for each in told(results) if each.startswith(f"| {what} |")]
    return found.removeprefix(f"| {what} ")


def alone(load: str, write_outage_s: float) -> Result:
    return replace(KILLED, fault=NOTHING, load=load, write_outage_s=write_outage_s)


def test_a_goal_that_is_held_is_told_so_under_each_load() -> None:
    assert line([KILLED], WRITES) == "| 1 s | 0.4 s | held | idle 0.4 |"
    both = [KILLED, alone("idle", 0.2)]
    assert line(both, WRITES) == "| 1 s | 0.4 s | held | idle 0.4 (0.2 without a fault) |"
    assert missed(both) == []


@pytest.mark.parametrize(("without_a_fault", "words"), [
    (None, ""),
    (0.9, ", which holds it without a fault (0.9 s)"),
    (4.57, ", which does not hold it without a fault either (4.57 s)"),
])  # fmt: skip
def test_a_goal_that_is_not_held_is_told_with_what_the_load_does_by_itself(
    without_a_fault: float | None, words: str
) -> None:
    results = [KILLED, LATE]
    results += [] if without_a_fault is None else [alone("boot storm", without_a_fault)]
    assert "| 1 s | 2.9 s | **not held** |" in line(results, WRITES)
    said = (
        f"{WRITES}: 2.9 s, at most 1 s: held under idle; not held under boot storm (2.9 s){words}"
    )
    assert missed(results) == [said]
    assert f"\n- {said}.\n" in report(results)


def test_what_one_writer_waited_is_told_and_has_no_limit() -> None:
    late = replace(LATE, write_outage_s=0.5, one_writer_s=8.8)
    what = "a replica is killed: one writer waited"
    assert line([KILLED, late], what) == "|  | 8.8 s | no limit | idle 0.9, boot storm 8.8 |"
    assert missed([KILLED, late]) == []


def test_where_no_stream_has_ended_nothing_is_known_of_resuming_them() -> None:
    what = "a replica is killed: streams resumed, p99"
    none = replace(KILLED, load="operation", resumed_s=())
    assert line([none], what) == "| 3 s | nothing ended | not known | operation nothing ended |"
    assert (
        line([KILLED, none], what) == "| 3 s | 0.2 s | held | idle 0.2, operation nothing ended |"
    )
    assert missed([none]) == []
    late = replace(KILLED, load="boot storm", resumed_s=(3.2,))
    assert missed([none, late]) == [
        f"{what}: 3.2 s, at most 3 s: not held under boot storm (3.2 s)"
    ]


def test_a_violation_under_a_load_is_a_goal_that_is_missed_there() -> None:
    wrong = replace(LATE, write_outage_s=0.5, violations=("one is gone",))
    assert missed([KILLED, wrong]) == [
        "violations: 1, at most 0: held under idle; not held under boot storm (1)"
    ]
