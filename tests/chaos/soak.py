"""Hours under one load, with one fault after the other; what processes hold must not grow."""

import asyncio
import contextlib
import random
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import psutil

from tests.chaos.faults.fault import Fault
from tests.chaos.loads import Load
from tests.chaos.rounds import AFTER_S, decide, ending_in_time, recover, settle
from tests.chaos.samples import Sample, lives, sample
from tests.chaos.stage import BALANCER, DATABASES, REPLICAS, WEB_UIS, ClusterStage

SERVICES = (*REPLICAS, *WEB_UIS, BALANCER, *DATABASES)
UNIT_SERVERS = "unit servers"
"""Their process is the load's."""
SAMPLE_EVERY_S = 5.0
BETWEEN_S = 10.0


class Healed(msgspec.Struct, frozen=True, tag="healed"):
    """A fault was in, and all was well again.

    Attributes:
        at: s of this machine's monotonic clock.
    """

    fault: str
    at: float


class Wrong(msgspec.Struct, frozen=True, tag="wrong"):
    """What must never be, or what ended it before its time."""

    what: str


_DECODER = msgspec.json.Decoder(Sample | Healed | Wrong)


@dataclass
class Soak:
    """What came of it, written down as it came: hours are not to be lost for an error in the last
    minute.

    Attributes:
        faults: names, in the order in which they were in.
    """

    file: Path
    faults: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> "Soak":
        found = cls(file)
        for line in file.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                found._take(_DECODER.decode(line))
        return found

    def add(self, record: Sample | Healed | Wrong) -> None:
        self._take(record)
        with self.file.open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")

    def _take(self, record: Sample | Healed | Wrong) -> None:
        match record:
            case Sample():
                self.samples.append(record)
            case Healed():
                self.faults.append(record.fault)
            case Wrong():
                self.violations.append(record.what)

    @property
    def minutes(self) -> float:
        """So long it was looked at."""
        moments = [each.at for each in self.samples]
        return (max(moments) - min(moments)) / 60 if moments else 0.0

    @property
    def growing(self) -> list[str]:
        """Services that hold more and more of something."""
        return [
            f"{each.service} (process {each.pid})" for each in lives(self.samples) if each.grows
        ]


async def soak(
    faults: Sequence[Fault],
    load: Load,
    done: Soak,
    *,
    minutes: float,
    units: int,
    say: Callable[[str], None],
) -> None:
    """One cluster, one load; faults in turns, in an order that nobody knows.

    Args:
        done: what it comes to, at the latest with what ended it.
    """
    stage = ClusterStage()
    try:
        await stage.up()
        await stage.lend_clock(is_lent=any(each.needs_clock for each in faults))
        ground = stage.of_round("soak", units)
        breaking = partial(_break_on, stage, faults, load, done, minutes, say)
        _, wrong = await decide(ground, load, breaking)
        for each in (*stage.observed.violations, *wrong):
            done.add(Wrong(each))
        if stage.observed.violations or wrong:
            stage.keep(ground, "soak")
    except Exception as failure:  # noqa: BLE001 - what was seen until then counts all the same
        for each in stage.observed.violations:
            done.add(Wrong(each))
        told = "".join(traceback.format_exception(failure))[-3000:]
        done.add(Wrong(f"it was ended before its time, and its history is not decided:\n{told}"))
    finally:
        await stage.down()


async def _break_on(
    stage: ClusterStage,
    faults: Sequence[Fault],
    load: Load,
    done: Soak,
    minutes: float,
    say: Callable[[str], None],
) -> None:
    end = time.monotonic() + minutes * 60
    async with ending_in_time(stage) as stop, asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(stop), name=load.name)
        sampling = tasks.create_task(_sample_on(stage, done))
        try:
            waiting: list[Fault] = []
            while time.monotonic() < end and not stage.is_sick:
                waiting = waiting or random.sample(list(faults), len(faults))
                fault = waiting.pop()
                async with fault.put_in(stage):
                    await asyncio.sleep(fault.hold_s)
                await settle(stage, load)
                await recover(stage)
                done.add(Healed(fault.name, time.monotonic()))
                say(f"{(end - time.monotonic()) / 60:.0f} min left; {fault.name} is healed")
                await asyncio.sleep(min(BETWEEN_S, max(AFTER_S, end - time.monotonic())))
        finally:
            stop.set()
            sampling.cancel()


async def _sample_on(stage: ClusterStage, done: Soak) -> None:
    while True:
        for service, pid in _processes(stage):
            with contextlib.suppress(psutil.NoSuchProcess, OSError):  # it has just been killed
                done.add(await asyncio.to_thread(sample, service, pid))
        await asyncio.sleep(SAMPLE_EVERY_S)


def _processes(stage: ClusterStage) -> Iterator[tuple[str, int]]:
    for service in SERVICES:
        process = stage.cluster[service]
        if process.is_running:
            yield service, process.pid
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "tests.chaos.loads.unit_servers" in child.cmdline():
                yield UNIT_SERVERS, child.pid
