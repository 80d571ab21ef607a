"""How hours of faults are shared out, and what is told of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS, SOAK
from tests.chaos.faults.fault import Fault
from tests.chaos.samples import JUDGED_S, Sample
from tests.chaos.soak import SERVICES, Healed, Soak, Wrong, parts, put_in
from tests.chaos.soak_report import soak_report
from tests.chaos.stage import ClusterStage

CHOSEN = [each for each in FAULTS if each.name in SOAK]


def held(service: str, pid: int, minutes: range, figure: float, part: str = "a") -> list[Sample]:
    return [
        Sample(service, pid, at * 60.0 + second, (figure, 9.0, 3.0, 5.0), part)
        for at in minutes
        for second in range(0, 60, 20)
    ]


def test_nobody_is_killed_for_long_enough_to_judge_everybody() -> None:
    calm, killing = parts(CHOSEN, 120.0)
    assert calm.minutes + killing.minutes == 120.0
    assert min(calm.minutes, killing.minutes) * 60 > JUDGED_S
    assert calm.minutes >= 90.0
    assert {each.name for each in killing.faults} == {
        "replica killed", "page killed", "balancer killed", "writer killed", "stand-by killed",
    }  # fmt: skip
    assert {each.name for each in (*calm.faults, *killing.faults)} == set(SOAK)


def test_faults_of_one_kind_have_the_whole_time() -> None:
    for kills in (True, False):
        (part,) = parts([each for each in CHOSEN if each.kills is kills], 30.0)
        assert part.minutes == 30.0


def test_what_was_seen_of_hours_is_there_when_they_are_cut_off(tmp_path: Path) -> None:
    done = Soak(tmp_path / "samples")
    done.add(Sample("web-1", 7, 60.0, (1.0, 2.0, 3.0, 4.0), "a"))
    done.add(Healed("writer killed", 90.0, "a"))
    done.add(Wrong("a write is gone"))
    done.add(Sample("web-1", 7, 240.0, (1.0, 2.0, 3.0, 4.0), "b"))
    with done.file.open("ab") as file:
        file.write(b'{"type":"sam')
    read = Soak.read(done.file)
    assert (read.samples, read.faults, read.violations) == (
        done.samples, [Healed("writer killed", 90.0, "a")], ["a write is gone"],
    )  # fmt: skip
    assert read.minutes == 3.0


def test_a_report_tells_who_was_judged_and_who_was_not(tmp_path: Path) -> None:
    done = Soak(tmp_path / "samples")
    for service in SERVICES[1:]:
        done.samples += held(service, 7, range(90), 100.0)
    done.samples += held("web-1", 8, range(90, 92), 120.0, "b")
    assert done.unjudged == [SERVICES[0]]
    text = soak_report(done)
    assert "| web-1 | 90 min | 100; +0.0 ± 0.0 | 9; +0.0 ± 0.0 |" in text
    assert (
        "Lives that are not judged: web-1 (1, the longest of 2 min, with 120 MiB at most)" in text
    )
    assert f"**Nothing is said of {SERVICES[0]}.**" in text
    done.samples += held(SERVICES[0], 9, range(90), 100.0)
    assert done.unjudged == []
    assert "Nothing is said" not in soak_report(done)


@pytest.mark.parametrize("beside", [False, True])
async def test_a_fault_that_does_not_strike_is_told_and_ends_no_hours(
    tmp_path: Path, *, beside: bool
) -> None:
    @contextlib.asynccontextmanager
    async def missing(_: ClusterStage) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() if beside else contextlib.nullcontext():
            raise RuntimeError("it is not so that web-1 stands still")
        yield

    done = Soak(tmp_path / "samples")
    missed = await put_in(ClusterStage(), Fault("page stopped", missing))
    done.add(Healed("page stopped", 90.0, "a", missed))
    done.samples += held("web-1", 7, range(30), 100.0)
    text = soak_report(done)
    assert "Faults, one after the other: none." in text
    assert "page stopped: it is not so that web-1 stands still" in text


async def test_what_is_wrong_with_a_fault_itself_is_no_miss() -> None:
    @contextlib.asynccontextmanager
    async def wrong(_: ClusterStage) -> AsyncIterator[None]:
        raise KeyError("web-7")
        yield

    with pytest.raises(KeyError):
        await put_in(ClusterStage(), Fault("page stopped", wrong))
