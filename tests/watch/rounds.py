"""Watchers, a webhook and writers on replicas that are killed meanwhile, round after round.

`python -m tests.watch.rounds --rounds 50 --seed 1` prints a line for each round.
"""

import argparse
import asyncio
import contextlib
import logging
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import structlog
from mds.v1.overview_pb2 import GetOverviewRequest
from mds.v1.position_pb2 import Position
from mds.v1.webhook_pb2 import Webhook

from tests.operations.section import Section
from tests.stages.mariadb import MariaDB
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.watch.records import Connection, Content, Heard, Record, Truth, Wanted
from tests.watch.validators import breaches
from tests.watch.watchers import Watcher, over_grpc, over_sse, read_all, watching
from tests.watch.writers import Writers
from tests.webhooks.receiver import Receiver, receiving

SETTINGS = {
    "MDS_LEASE_S": "5",
    "MDS_HEARTBEAT_S": "1",
    "MDS_DRAIN_S": "2",
    "MDS_WEBHOOK_TARGETS": "loopback",
}
WRITERS = 3
CAUGHT_UP_WITHIN_S = 30.0
READY_WITHIN_S = 30.0
FROZEN_S = 2.5


@dataclass(frozen=True)
class Round:
    """What breaks in a round.

    Attributes:
        before_s: how long all work before that.
        after_s: and after it.
    """

    blow: str
    before_s: float = 0.5
    after_s: float = 0.5


@dataclass(frozen=True)
class Told:
    """What a round came to."""

    revisions: int
    events: int
    connections: int


@dataclass
class Ground:
    """Replicas on one MariaDB, and those who write there."""

    mariadb: MariaDB
    replicas: list[Replica]
    writers: Writers
    begin: Position
    receiver: Receiver

    def delivered(self) -> Record:
        """What a webhook that wants everything was sent so far, each delivery once."""
        first = {each.id: each for each in reversed(self.receiver.arrived)}
        ordered = sorted(first.values(), key=self.receiver.arrived.index)
        heard = [Heard.of(each.content) for each in ordered]
        after = int(ordered[0].headers["Mds-After"].rpartition("/")[2]) if ordered else 0
        return Record(Wanted(), [Connection(after, heard)])


def is_hot(content: Content) -> bool:
    return bool(content.get("labels", {}).get("hot") == "yes")


UNITS, VARIABLES, STATUSES = "KIND_CONTROL_UNIT", "KIND_VARIABLE", "KIND_CONTROL_UNIT_STATUS"
WANTED = (
    Wanted(),
    Wanted(frozenset({UNITS}), "A/"),
    Wanted(frozenset({VARIABLES}), "B/"),
    Wanted(frozenset({STATUSES})),
    Wanted(frozenset({UNITS, STATUSES}), "LAB/"),
    Wanted(frozenset({UNITS}), filter="label.hot=yes", holds=is_hot),
    Wanted(prefix="nowhere/"),
)


async def kill(ground: Ground, rng: random.Random) -> None:
    replica = rng.choice(ground.replicas)
    replica.kill()
    replica.program.start()
    await replica.ready(within=READY_WITHIN_S)


async def terminate(ground: Ground, rng: random.Random) -> None:
    replica = rng.choice(ground.replicas)
    await replica.terminate()
    replica.program.start()
    await replica.ready(within=READY_WITHIN_S)


async def freeze(ground: Ground, rng: random.Random) -> None:
    program = rng.choice(ground.replicas).program
    program.pause()
    await asyncio.sleep(FROZEN_S)
    program.resume()


async def restart_database(ground: Ground, _: random.Random) -> None:
    await asyncio.to_thread(ground.mariadb.restart)


async def freeze_database(ground: Ground, _: random.Random) -> None:
    ground.mariadb.pause()
    await asyncio.sleep(FROZEN_S)
    ground.mariadb.resume()


async def nothing(_: Ground, __: random.Random) -> None:
    """All is well."""


BLOWS: dict[str, Callable[[Ground, random.Random], Awaitable[None]]] = {
    "replica killed": kill,
    "replica ended": terminate,
    "replica frozen": freeze,
    "database killed": restart_database,
    "database frozen": freeze_database,
    "nothing": nothing,
}


def dealt(rng: random.Random, count: int, blows: Sequence[str]) -> Iterator[Round]:
    """Rounds in which all blows strike equally often."""
    deck: list[str] = []
    for _ in range(count):
        deck = deck or rng.sample(blows, len(blows))
        yield Round(deck.pop(), rng.uniform(0.2, 1.5), rng.uniform(0.2, 1.5))


def watchers_of(ground: Ground, rng: random.Random) -> list[Watcher]:
    """One for each filter over each face, from any position, or from now on."""
    found = []
    for face in (over_grpc, over_sse):
        for wanted in WANTED:
            after = Position(
                store_id=ground.begin.store_id,
                epoch=ground.begin.epoch,
                revision=rng.randint(0, ground.writers.last()),
            )
            found.append(
                Watcher(
                    face,
                    ground.replicas,
                    wanted,
                    after=rng.choice([after, ground.begin, None]),
                    restless=rng.random() < 0.4,
                    rng=random.Random(rng.random()),
                )
            )
    return found


async def play(ground: Ground, planned: Round, rng: random.Random) -> Told:
    """
    Raises:
        AssertionError: a guarantee does not hold, with all that does not.
    """
    watchers = watchers_of(ground, rng)
    first = ground.writers.last()
    async with watching(watchers):
        async with ground.writers.at_work(WRITERS):
            await asyncio.sleep(planned.before_s)
            await BLOWS[planned.blow](ground, rng)
            await asyncio.sleep(planned.after_s)
        last = ground.writers.last()
        await until(
            lambda: all(each.position >= last for each in watchers),
            within=CAUGHT_UP_WITHIN_S,
            what=f"all watchers at {last}",
        )
        await until(
            lambda: (ground.delivered().position or 0) >= last,
            within=CAUGHT_UP_WITHIN_S,
            what=f"the webhook at {last}",
        )
    sent = ground.delivered()
    end = max(sent.position or 0, *(each.position for each in watchers))
    history = await read_all(ground.replicas[0], ground.begin, end)
    truth = Truth(
        history, {key: frozenset(names) for key, names in ground.writers.acknowledged.items()}
    )
    wrong = [
        f"{watcher}: {what}"
        for watcher in watchers
        for what in (*watcher.strange, *breaches(watcher.record, truth))
    ]
    wrong += [f"webhook: {what}" for what in breaches(sent, truth)]
    assert not wrong, "\n".join(wrong[:30])
    return Told(
        last - first,
        sum(len(each.record.events) for each in watchers),
        sum(len(each.record.connections) for each in watchers),
    )


@contextlib.asynccontextmanager
async def ground(
    mariadb: MariaDB, database: str, folder: Path, rng: random.Random, *, replicas: int = 2
) -> AsyncIterator[Ground]:
    """Replicas on a database that has the schema already, and a unit server that reports."""
    found = [
        Replica(database, folder, environment={**SETTINGS, "MDS_REPLICA": f"replica-{number}"})
        for number in range(1, replicas + 1)
    ]
    section: Section | None = None
    try:
        for each in found:
            each.program.start()
        await asyncio.gather(*(each.ready(within=READY_WITHIN_S) for each in found))
        section = Section(",".join(each.address for each in found), folder)
        seen = await section.client.overview.GetOverview(GetOverviewRequest())
        begin = Position(store_id=seen.position.store_id, epoch=seen.position.epoch)
        writers = Writers(section, rng)
        await writers.set_up()
        async with section.hosted(), receiving() as receiver:
            webhook = Webhook(name="webhooks/all", url=receiver.url)
            await section.client.webhooks.create(webhook, reason="to be told everything")
            yield Ground(mariadb, found, writers, begin, receiver)
    finally:
        if section is not None:
            await section.client.close()
        for each in found:
            each.program.clear()


async def play_all(folder: Path, count: int, seed: int) -> None:
    """Prints a line for each round."""
    rng = random.Random(seed)
    mariadb = MariaDB(folder)
    try:
        mariadb.install()
        database = mariadb.url(mariadb.create_database())
        await Replica(database, folder).migrate()
        async with ground(mariadb, database, folder, rng, replicas=3) as laid:
            for number, planned in enumerate(dealt(rng, count, list(BLOWS)), 1):
                click.echo(f"{number:3} {planned.blow}: ", nl=False)
                told = await play(laid, planned, rng)
                click.echo(
                    f"{told.revisions} revisions, {told.events} events to {told.connections} "
                    "connections"
                )
    finally:
        mariadb.clear()
    click.echo(f"{count} rounds, seed {seed}: all guarantees hold.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder = Path(tempfile.mkdtemp(prefix="mds-watch-rounds-"))
    click.echo(f"Logs of all processes, kept if a guarantee does not hold: {folder}")
    asyncio.run(play_all(folder, told.rounds, told.seed))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
