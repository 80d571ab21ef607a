"""One round: a load is on, a fault goes in and is healed, and then it is decided what has held."""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

import msgspec
from mds.v1.position_pb2 import Position

from control_units.client import Client, ClientError
from tests.chaos import figures
from tests.chaos.checker import violations
from tests.chaos.faults.fault import Fault
from tests.chaos.final_state import FinalState, NeverEnds, position_now, read_final_state
from tests.chaos.history import History, Ordered, read_history
from tests.chaos.loads import Load
from tests.chaos.pages import PageReader
from tests.chaos.stage import ClusterStage, RoundStage

STEADY_S = 4.0
AFTER_S = 2.0
CURRENT_WITHIN_S = 300.0
READ_TRIES = 5
ENDS_WITHIN_S = 120.0
"""A load that has been told to stop; else nothing is decided."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a round has shown; times in s.

    Attributes:
        commit, content: of the programs; see `under_test.Version`.
        violations: what is promised and did not hold, in words.
        steady_write_s: longest time between two acknowledged writes before the fault: what the
            machine makes of it.
        write_outage_s: the same from the fault on.
        one_writer_s: the same of one writer, the one whom it was longest for.
        resumed_s: how long each watcher whose stream ended was without word.
        current_after_s: from the fault healed to every watcher and unit current.
        steps: of operations, by where they have ended.
        figures: of the fault's own.
        records: how many the history has.
        load_average: of the machine, at the end.
        ended: UTC.
        undecided: why nothing is known of this try, which was ended and is played again; empty: all
            is decided.
    """

    fault: str
    load: str
    number: int
    units: int
    commit: str = ""
    content: str = ""
    violations: tuple[str, ...] = ()
    steady_write_s: float = 0.0
    write_outage_s: float = 0.0
    one_writer_s: float = 0.0
    read_outage_s: float = 0.0
    page_outage_s: float = 0.0
    resumed_s: tuple[float, ...] = ()
    current_after_s: float = 0.0
    steps: dict[str, int] = {}
    figures: dict[str, float] = {}
    records: int = 0
    load_average: float = 0.0
    ended: str = ""
    undecided: str = ""


class Decided(NamedTuple):
    """
    Attributes:
        history: what clients have written down.
        wrong: what of that must never be, in words.
        steps: of operations that were ordered, by where they have ended.
    """

    history: History
    wrong: list[str]
    steps: Mapping[str, int] = {}


class _Times:
    """When what was done, by this machine's monotonic clock."""

    steady = 0.0
    fault = 0.0
    healed = 0.0
    current = 0.0
    end = 0.0


async def play(stage: ClusterStage, fault: Fault, load: Load, *, number: int, units: int) -> Result:
    """One round.

    Args:
        load: not yet prepared.

    Raises:
        ExceptionGroup, OSError, TimeoutError, ClientError: the stage is sick, or the load cannot
            be prepared: nothing is decided.
    """
    await stage.lend_clock(is_lent=fault.needs_clock)
    slug = f"{fault.name} {load.name} {number}".replace(" ", "-")
    ground = stage.of_round(slug, units)
    reader = PageReader(stage.page)
    times = _Times()
    breaking = partial(_break_under, stage, fault, load, reader, times)
    decided = await decide(ground, load, breaking, is_broken=fault.breaks)
    result = _result(stage, ground, load, fault, number, times, reader, decided)
    if result.violations:
        stage.keep(ground, slug)
    return result


async def decide(
    ground: RoundStage,
    load: Load,
    breaking: Callable[[], Awaitable[None]],
    *,
    is_broken: bool = True,
) -> Decided:
    """What has become of everything while it was broken under a load, or not broken at all."""
    async with _client(ground.address) as client:
        begin = await position_now(client)
        try:
            await load.prepare(ground)
            await breaking()
        finally:
            await load.close()
            ground.recorder.close()
        history = read_history(*sorted(ground.folder.glob("*.jsonl")))
        try:
            final = await _in_the_end(client, begin, load, history)
        except NeverEnds as wrong:
            return Decided(history, [f"the end: {wrong}"])
    judge = partial(violations, history, final, is_broken=is_broken)
    found = await asyncio.to_thread(judge)
    states = (step.state for each in final.operations.values() for step in each.steps)
    return Decided(history, list(map(str, found)), Counter(states))


async def _break_under(
    stage: ClusterStage, fault: Fault, load: Load, reader: PageReader, times: _Times
) -> None:
    async with ending_in_time(stage) as stop, asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(stop), name=load.name)
        tasks.create_task(reader.read_on(stop), name="page")
        try:
            times.steady = time.monotonic()
            await asyncio.sleep(STEADY_S)
            times.fault = time.monotonic()
            async with fault.put_in(stage):
                await asyncio.sleep(fault.hold_s)
            times.healed = time.monotonic()
            await settle(stage, load)
            times.current = time.monotonic()
            await recover(stage)
            await asyncio.sleep(AFTER_S)
        finally:
            times.end = time.monotonic()
            stop.set()


@contextlib.asynccontextmanager
async def ending_in_time(stage: ClusterStage) -> AsyncIterator[asyncio.Event]:
    """Yields what tells a load to stop; once that is set, it has to end.

    Raises:
        TimeoutError: it does not, which is a violation: a client hangs that nobody keeps waiting.
    """
    stop = asyncio.Event()

    async def wait(patience: asyncio.Timeout) -> None:
        await stop.wait()
        patience.reschedule(asyncio.get_running_loop().time() + ENDS_WITHIN_S)

    async with asyncio.timeout(None) as patience:
        waiting = asyncio.create_task(wait(patience))
        try:
            yield stop
        finally:
            waiting.cancel()
            if patience.expired():
                stage.observed.violations.append(
                    f"the load: it has not ended {ENDS_WITHIN_S:.0f} s after it was told to stop"
                )


async def _in_the_end(client: Client, begin: Position, load: Load, history: History) -> FinalState:
    operations = [each.operation for each in history.of(Ordered) if each.operation]
    for left in reversed(range(READ_TRIES)):
        try:
            return await read_final_state(client, begin, probes=load.probes, operations=operations)
        except ClientError:  # one stream over everything may be ended for many reasons
            if not left:
                raise
            await asyncio.sleep(1)
    raise AssertionError("unreachable")


async def settle(stage: ClusterStage, load: Load) -> None:
    try:
        async with asyncio.timeout(CURRENT_WITHIN_S):
            await load.settle()
    except TimeoutError:
        stage.observed.violations.append(
            f"current: not every watcher and unit was current {CURRENT_WITHIN_S:.0f} s after all "
            "was healed"
        )


async def recover(stage: ClusterStage) -> None:
    try:
        await stage.until_well()
    except TimeoutError as error:
        stage.is_sick = True
        stage.observed.violations.append(f"recovery: after all was healed: {error}")


def _result(
    stage: ClusterStage,
    ground: RoundStage,
    load: Load,
    fault: Fault,
    number: int,
    times: _Times,
    reader: PageReader,
    decided: Decided,
) -> Result:
    history = decided.history
    return Result(
        fault=fault.name,
        load=load.name,
        number=number,
        units=ground.units,
        violations=(*stage.observed.violations, *decided.wrong),
        steady_write_s=figures.longest_write_outage(history, times.steady, times.fault),
        write_outage_s=figures.longest_write_outage(history, times.fault, times.end),
        one_writer_s=figures.longest_wait_of_one(history, times.fault, times.end),
        read_outage_s=figures.longest_read_outage(history, times.fault, times.end),
        page_outage_s=figures.longest_gap(reader.seen, times.fault, times.end),
        resumed_s=tuple(figures.resumptions(history, times.fault)),
        current_after_s=times.current - times.healed,
        steps=dict(decided.steps),
        figures=stage.observed.figures,
        records=len(history),
        load_average=os.getloadavg()[0],
        ended=now(),
    )


def now() -> str:
    """UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@contextlib.asynccontextmanager
async def _client(address: str) -> AsyncIterator[Client]:
    client = Client(address, principal="chaos", program="chaos")
    try:
        yield client
    finally:
        await client.close()
