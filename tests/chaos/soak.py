"""Hours under one load, with one fault after the other; what processes hold must not grow."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import psutil

from tests.chaos.faults.fault import Fault
from tests.chaos.loads import Load
from tests.chaos.rounds import AFTER_S, decide, recover, settle
from tests.chaos.samples import Sample, lives, sample
from tests.chaos.stage import BALANCER, DATABASES, REPLICAS, WEB_UIS, ClusterStage

SERVICES = (*REPLICAS, *WEB_UIS, BALANCER, *DATABASES)
SAMPLE_EVERY_S = 5.0
BETWEEN_S = 10.0


@dataclass
class Soak:
    """What came of it.

    Attributes:
        faults: names, in the order in which they were in.
    """

    minutes: float
    faults: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def growing(self) -> list[str]:
        """Services that hold more and more of something."""
        return [
            f"{each.service} (process {each.pid})" for each in lives(self.samples) if each.grows
        ]


async def soak(
    faults: Sequence[Fault], load: Load, *, minutes: float, units: int, say: Callable[[str], None]
) -> Soak:
    """One cluster, one load; faults in turns, in an order that nobody knows."""
    stage, done = ClusterStage(), Soak(minutes)
    try:
        await stage.up()
        await stage.lend_clock(is_lent=any(each.needs_clock for each in faults))
        ground = stage.of_round("soak", units)
        breaking = partial(_break_on, stage, faults, load, done, say)
        _, wrong = await decide(ground, load, breaking)
        done.violations += [*stage.observed.violations, *wrong]
    finally:
        await stage.down()
    return done


async def _break_on(
    stage: ClusterStage,
    faults: Sequence[Fault],
    load: Load,
    done: Soak,
    say: Callable[[str], None],
) -> None:
    stop, end = asyncio.Event(), time.monotonic() + done.minutes * 60
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(stop), name=load.name)
        sampling = tasks.create_task(_sample_on(stage, done.samples))
        try:
            waiting: list[Fault] = []
            while time.monotonic() < end and not stage.is_sick:
                waiting = waiting or random.sample(list(faults), len(faults))
                fault = waiting.pop()
                async with fault.put_in(stage):
                    await asyncio.sleep(fault.hold_s)
                await settle(stage, load)
                await recover(stage)
                done.faults.append(fault.name)
                say(f"{(end - time.monotonic()) / 60:.0f} min left; {fault.name} is healed")
                await asyncio.sleep(min(BETWEEN_S, max(AFTER_S, end - time.monotonic())))
        finally:
            stop.set()
            sampling.cancel()


async def _sample_on(stage: ClusterStage, samples: list[Sample]) -> None:
    while True:
        for service in SERVICES:
            process = stage.cluster[service]
            if process.is_running:
                with contextlib.suppress(psutil.NoSuchProcess, OSError):  # it has just been killed
                    samples.append(await asyncio.to_thread(sample, service, process.pid))
        await asyncio.sleep(SAMPLE_EVERY_S)
