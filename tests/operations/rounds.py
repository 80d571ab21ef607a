"""Orders to a section whose processes are killed meanwhile, round after round.

`python -m tests.operations.rounds --rounds 50 --seed 1` prints a line for each round.
"""

import argparse
import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.operation_pb2 import OnFailure, Operation, OrderVerb

from tests.operations import outcome
from tests.operations.blows import BLOWS, Blow
from tests.operations.ground import Ground, ground
from tests.operations.power_supplies import RAISES
from tests.operations.section import START, STOP, phase, unit
from tests.stages.mariadb import MariaDB
from tests.stages.waiting import until

LEVELS, A_LEVEL, SERVERS = 3, 6, 2
UNITS = [f"{level}{letter}" for level in range(LEVELS) for letter in "ABCDEF"[:A_LEVEL]]
LONGEST_WAIT_S = 1.5
ENDS_WITHIN_S = 60.0
POLICIES = (
    OnFailure.ON_FAILURE_STOP,
    OnFailure.ON_FAILURE_CONTINUE,
    OnFailure.ON_FAILURE_ROLL_BACK,
)


@dataclass(frozen=True)
class Round:
    """What one round shall be.

    Attributes:
        after_s: that the blow strikes after the order is given.
        failing: the unit that fails when it starts; empty: none.
    """

    verb: "OrderVerb.ValueType"
    blow: str
    after_s: float
    at_once: int = 0
    failing: str = ""
    on_failure: "OnFailure.ValueType" = OnFailure.ON_FAILURE_STOP

    def __str__(self) -> str:
        words = [OrderVerb.Name(self.verb).removeprefix("ORDER_VERB_"), self.blow]
        words.append(f"after {self.after_s:.2f} s")
        if self.failing:
            policy = OnFailure.Name(self.on_failure).removeprefix("ON_FAILURE_")
            words.append(f"{self.failing} fails, {policy}")
        return ", ".join(words)


@dataclass(frozen=True)
class Before:
    """How things stood before a round.

    Attributes:
        declared: the units, by id.
        noted: how much had been written down of what was done to them.
        processes: of the unit servers.
    """

    declared: Mapping[str, ControlUnit]
    noted: int
    processes: frozenset[int]


@dataclass(frozen=True)
class Told:
    """What one round came to.

    Attributes:
        seconds: from the order to the end of the operation.
        gap_s: how long no replica carried it on; None: none that did was struck.
    """

    phase: str
    seconds: float
    gap_s: float | None


def dealt(rng: random.Random, count: int, blows: Sequence[str]) -> Iterator[Round]:
    """Rounds in which all blows strike equally often, in turns starts and stops."""
    deck: list[str] = []
    for number in range(count):
        if not deck:
            deck = rng.sample(blows, len(blows))
        is_start = number % 2 == 0
        yield Round(
            START if is_start else STOP,
            deck.pop(),
            rng.uniform(0.0, LONGEST_WAIT_S),
            at_once=rng.choice([0, 3]),
            failing=rng.choice(UNITS) if is_start and rng.random() < 0.4 else "",
            on_failure=rng.choice(POLICIES),
        )


async def set_up(ground: Ground) -> None:
    """Three levels of units, each spread over all unit servers; all are stopped."""
    await ground.set_up(
        *(
            unit(f"LAB/{id}", level=int(id[0]), unit_server=f"unit_servers/LAB/S{number % SERVERS}")
            for number, id in enumerate(UNITS)
        )
    )
    section = ground.section
    stopped = await section.ended(await section.order(STOP), within=ENDS_WITHIN_S)
    assert phase(stopped) == "COMPLETED", stopped.message


async def play(ground: Ground, planned: Round, rng: random.Random) -> Told:
    """Gives the order, strikes, and looks at what has become of it.

    Raises:
        AssertionError: something is not as it should be.
    """
    ground.fail({f"LAB/{planned.failing}": RAISES} if planned.failing else {})
    notes = ground.notes()
    # One that has just been launched and has not come to its units yet does of itself, when it
    # comes, what is wanted of them by then.
    at_work = frozenset(ground.pids().values()) & {each.process for each in notes}
    before = Before(await ground.declared(), len(notes), at_work)
    began = time.monotonic()
    given: list[Operation] = []
    blow = Blow(ground, rng, lambda: given[0].name if given else "")

    async def strike() -> None:
        await asyncio.sleep(planned.after_s)
        await BLOWS[planned.blow](blow)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(strike())
        # Who stops a section wants its units out of their errors, too.
        given.append(await order(ground, planned, recover=planned.verb == STOP))
        ended = await ground.section.ended(given[0], within=ENDS_WITHIN_S)
        seconds = time.monotonic() - began
    await check(ground, planned, ended, before)
    return Told(phase(ended), seconds, blow.gap_s)


async def order(ground: Ground, planned: Round, **how: Any) -> Operation:
    how |= {"at_once": planned.at_once, "on_failure": planned.on_failure}
    return await ground.section.order(planned.verb, **how)


async def check(ground: Ground, planned: Round, ended: Operation, before: Before) -> None:
    """Raises: AssertionError."""
    failing = [f"LAB/{planned.failing}"] if planned.failing else []

    async def settled() -> bool:
        found = outcome.unsettled(await ground.declared(), await ground.reported(), failing)
        return not found

    await until(settled, within=ENDS_WITHIN_S, what="all units where people want them")
    steps = await ground.section.steps(ended)
    notes = ground.notes()[before.noted :]
    levels = {f"LAB/{id}": int(id[0]) for id in UNITS}
    outcome.ended_as_planned(ended, steps, failing)
    outcome.told_once(steps, before.declared, await ground.declared())
    outcome.told_in_order(ended, steps, levels)
    outcome.done_once(notes, "starts" if planned.verb == START else "stops")
    notes = [each for each in notes if each.process in before.processes]
    outcome.done_in_order(ended, notes, levels, failing)


async def play_all(folder: Path, count: int, seed: int) -> None:
    """Prints a line for each round, and what the deaths of replicas cost."""
    rng = random.Random(seed)
    gaps = []
    mariadb = MariaDB(folder)
    try:
        mariadb.install()
        async with ground(mariadb, folder) as laid:
            await set_up(laid)
            for number, planned in enumerate(dealt(rng, count, list(BLOWS)), 1):
                click.echo(f"{number:3} {planned}: ", nl=False)
                told = await play(laid, planned, rng)
                gap = "" if told.gap_s is None else f", taken over after {told.gap_s:.2f} s"
                click.echo(f"{told.phase} in {told.seconds:.1f} s{gap}")
                gaps += [] if told.gap_s is None else [(planned.blow, told.gap_s)]
    finally:
        mariadb.clear()
    click.echo(f"{count} rounds, seed {seed}: all as planned.")
    for blow in dict.fromkeys(name for name, _ in gaps):
        longest = max(gap for name, gap in gaps if name == blow)
        click.echo(f"{blow}: taken over after {longest:.2f} s at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mds-rounds-"))
    click.echo(f"Logs of all processes, kept if something is not as planned: {folder}")
    asyncio.run(play_all(folder, told.rounds, told.seed))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
