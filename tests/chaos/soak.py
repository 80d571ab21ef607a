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
from tests.chaos.pages import PageReader
from tests.chaos.rounds import AFTER_S, decide, ending_in_time, recover, settle
from tests.chaos.samples import Life, Sample, lives, sample
from tests.chaos.stage import BALANCER, DATABASES, REPLICAS, WEB_UIS, ClusterStage

SERVICES = (*REPLICAS, *WEB_UIS, BALANCER, *DATABASES)
UNIT_SERVERS = "unit servers"
"""Their process is the load's."""
SAMPLE_EVERY_S = 5.0
BETWEEN_S = 10.0
KILLING = 0.25
"""Share of the time, in the end: whoever is killed again and again never lives for long enough."""


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """What the hours are of.

    Attributes:
        commit, content: of the programs; see `under_test.Version`.
        machine: that it all was on.
        at: UTC.
    """

    load: str
    units: int
    commit: str
    content: str
    machine: str
    at: str


class Healed(msgspec.Struct, frozen=True, tag="healed"):
    """A fault was in, and all was well again.

    Attributes:
        at: s of this machine's monotonic clock.
        part: of the time.
        missed: why it did not strike; empty: it did.
    """

    fault: str
    at: float
    part: str = ""
    missed: str = ""


class Wrong(msgspec.Struct, frozen=True, tag="wrong"):
    """What must never be, or what ended it before its time."""

    what: str


Seen = Begun | Sample | Healed | Wrong
_DECODER = msgspec.json.Decoder(Seen)


@dataclass
class Soak:
    """What came of it, written down as it came: hours are not to be lost for an error in the last
    minute.

    Attributes:
        faults: in the order in which they were in.
    """

    file: Path
    begun: Begun | None = None
    faults: list[Healed] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> "Soak":
        found = cls(file)
        for line in file.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                found._take(_DECODER.decode(line))
        return found

    def add(self, record: Seen) -> None:
        self._take(record)
        with self.file.open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")

    def _take(self, record: Seen) -> None:
        match record:
            case Begun():
                self.begun = record
            case Sample():
                self.samples.append(record)
            case Healed():
                self.faults.append(record)
            case Wrong():
                self.violations.append(record.what)

    @property
    def minutes(self) -> float:
        """So long it was looked at."""
        moments = [each.at for each in self.samples]
        return (max(moments) - min(moments)) / 60 if moments else 0.0

    @property
    def lives(self) -> list[Life]:
        return lives(self.samples)

    @property
    def growing(self) -> list[str]:
        """Processes that hold more and more of something."""
        return [
            f"{each.service} (process {each.pid}): {', '.join(each.growing)}"
            for each in self.lives
            if each.growing
        ]

    @property
    def unjudged(self) -> list[str]:
        """Services of which nothing is known: no process of theirs has lived for long enough."""
        seen = dict.fromkeys((*SERVICES, *(each.service for each in self.samples)))
        judged = {each.service for each in self.lives if each.is_judged}
        return [each for each in seen if each not in judged]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the time, which is judged by itself.

    While others are killed, those that are left have their connections: not growth, but a step.
    """

    name: str
    minutes: float
    faults: Sequence[Fault]


def parts(faults: Sequence[Fault], minutes: float) -> list[Part]:
    """One in which nobody's life ends, and then one in which lives end all the time."""
    killing = [each for each in faults if each.kills]
    others = [each for each in faults if not each.kills]
    last = minutes * KILLING if others else minutes
    found = [
        Part("nobody is killed", minutes - last if killing else minutes, others),
        Part("one after the other is killed", last, killing),
    ]
    return [each for each in found if each.faults]


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
        breaking = partial(_break_on, stage, parts(faults, minutes), load, done, say)
        wrong = (await decide(ground, load, breaking)).wrong
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
    parts: Sequence[Part],
    load: Load,
    done: Soak,
    say: Callable[[str], None],
) -> None:
    async with ending_in_time(stage) as stop, asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(stop), name=load.name)
        # A page that nobody looks at holds nothing.
        tasks.create_task(PageReader(stage.page).read_on(stop), name="page")
        try:
            for part in parts:
                sampling = tasks.create_task(_sample_on(stage, done, part.name))
                try:
                    await _break_in_turns(stage, part, load, done, say)
                finally:
                    sampling.cancel()
        finally:
            stop.set()


async def _break_in_turns(
    stage: ClusterStage, part: Part, load: Load, done: Soak, say: Callable[[str], None]
) -> None:
    end = time.monotonic() + part.minutes * 60
    waiting: list[Fault] = []
    while time.monotonic() < end and not stage.is_sick:
        waiting = waiting or random.sample(part.faults, len(part.faults))
        fault = waiting.pop()
        missed = await put_in(stage, fault)
        await settle(stage, load)
        await recover(stage)
        done.add(Healed(fault.name, time.monotonic(), part.name, missed))
        left = f"{part.name}: {(end - time.monotonic()) / 60:.0f} min left"
        say(f"{left}; {fault.name} {f'did not strike: {missed}' if missed else 'is healed'}")
        await asyncio.sleep(min(BETWEEN_S, max(AFTER_S, end - time.monotonic())))


async def put_in(stage: ClusterStage, fault: Fault) -> str:
    """Why it did not strike; empty: it did. One that did not ends no hours."""
    missed = ""
    try:
        async with fault.put_in(stage):
            await asyncio.sleep(fault.hold_s)
    except* RuntimeError as failures:
        missed = "; ".join(map(str, failures.exceptions))
    return missed


async def _sample_on(stage: ClusterStage, done: Soak, part: str) -> None:
    while True:
        for service, pid in _processes(stage):
            with contextlib.suppress(psutil.NoSuchProcess, OSError):  # it has just been killed
                done.add(await asyncio.to_thread(sample, service, pid, part))
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
