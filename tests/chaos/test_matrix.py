"""Which rounds are still to be played, and what is told of those that were."""

import asyncio
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.chaos import rounds
from tests.chaos.faults import FAULTS, SHORT, SOAK
from tests.chaos.lanes import Lane
from tests.chaos.matrix import Results, cells
from tests.chaos.report import report
from tests.chaos.rounds import Result
from tests.chaos.stage import ClusterStage
from tests.chaos.under_test import Version

HERE = Version("a", "1")
KILLED = next(each for each in FAULTS if each.name == "replica killed")


@pytest.fixture
def result() -> Result:
    return Result(
        fault="replica killed", load="idle", number=1, units=100, violations=(),
        steady_write_s=0.1, write_outage_s=0.4, read_outage_s=0.2, page_outage_s=0.3,
        resumed_s=(0.1, 0.2), current_after_s=1.5, figures={}, records=1000, load_average=1.0,
        ended="2026-11-22T07:00:00Z",
    )  # fmt: skip


def test_a_run_goes_on_where_it_was_ended_but_not_with_other_programs(
    result: Result, tmp_path: Path
) -> None:
    first, second = cells([KILLED], ["idle"], 2, None)
    Results(tmp_path / "results", HERE).add(result)
    again = Results(tmp_path / "results", HERE)
    assert again.has(first)
    assert not again.has(second)
    assert Results(tmp_path / "results", HERE._replace(commit="b")).has(first)
    assert not Results(tmp_path / "results", HERE._replace(content="2")).has(first)
    assert not Results(tmp_path / "results", HERE, forget=True).has(first)


def test_a_try_that_decided_nothing_is_told_and_played_again(
    result: Result, tmp_path: Path
) -> None:
    (cell,) = cells([KILLED], ["idle"], 1, None)
    results = Results(tmp_path / "results", HERE)
    results.add(msgspec.structs.replace(result, undecided="…\nTimeoutError: the load does not end"))
    assert not results.has(cell)
    results.add(result)
    assert results.has(cell)
    text = report(results.all)
    assert "- replica killed under idle, round 1: TimeoutError: the load does not end" in text
    assert "| replica killed | 1 | 0 |" in text


def test_what_was_seen_in_a_try_that_decided_nothing_counts(result: Result) -> None:
    ended = msgspec.structs.replace(result, undecided="TimeoutError", violations=("two held it",))
    text = report([ended, result])
    assert "1 rounds, 1 violations" in text
    assert "two held it" in text


async def test_a_load_that_does_not_end_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ENDS_WITHIN_S", 0.05)
    stage = ClusterStage()

    async def run() -> None:
        async with rounds.ending_in_time(stage) as stop, asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.Event().wait())
            stop.set()

    with pytest.raises(TimeoutError):
        await run()
    (found,) = stage.observed.violations
    assert found.startswith("the load: it has not ended")


def test_every_cell_is_seen_once_before_any_is_seen_twice() -> None:
    wanted = list(cells(FAULTS[:2], ["idle", "boot storm"], 2, None))
    assert [each.number for each in wanted] == [1] * 4 + [2] * 4
    assert {each.load: each.units for each in wanted} == {"idle": 100, "boot storm": 10_000}


def test_lanes_share_all_cells_and_begin_with_different_loads() -> None:
    loads = ["idle", "boot storm", "operation"]
    lanes = [Lane(number, 3) for number in (1, 2, 3)]
    shares = [list(cells(lane.share(FAULTS), lane.order(loads), 2, None)) for lane in lanes]
    assert {share[0].load for share in shares} == set(loads)
    everything = Counter((e.fault.name, e.load, e.number) for share in shares for e in share)
    whole = [(e.fault.name, e.load, e.number) for e in cells(FAULTS, loads, 2, None)]
    assert everything == Counter(whole)


def test_a_report_shows_what_was_wrong(result: Result) -> None:
    wrong = msgspec.structs.replace(
        result, violations=("acknowledged writes are kept: one is gone",)
    )
    text = report([result, wrong])
    assert "| replica killed | 2 | 1 | 0.4, 0.4 s |" in text
    assert "one is gone" in text


def test_a_report_counts_steps_that_were_done(result: Result) -> None:
    assert "steps done" not in report([result])
    some = msgspec.structs.replace(result, steps={"COMPLETED": 990, "ERROR": 3, "ABORTED": 7})
    every = msgspec.structs.replace(result, steps={"COMPLETED": 1_000})
    text = report([some, every])
    assert "| writes before | steps done |\n" in text
    assert "| 0.1, 0.1 s | 1,990 of 2,000 |\n" in text


def test_names_of_shorter_forms_are_names_of_faults() -> None:
    assert {*SHORT, *SOAK} <= {each.name for each in FAULTS}
