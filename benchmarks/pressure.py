"""What admission costs a call and a transaction, in processor time: seconds say nothing on a machine
that does something else."""

from __future__ import annotations

import asyncio
import time

from benchmarks.stage import Stage
from benchmarks.table import print_table
from metadata_server.api.peers import Peers
from metadata_server.domain.client_limits import ClientLimits
from metadata_server.domain.networks import networks
from metadata_server.domain.turn import Asker, Rank
from metadata_server.services.admission import Admission
from metadata_server.store.database import open_database
from metadata_server.store.migration import migrate
from metadata_server.store.store import Store
from metadata_server.store.turns import Turns, on_behalf_of
from metadata_server.store.unit_of_work import UnitOfWork

ROUNDS, READS = 20_000, 2_000
WAITING = 1_000


async def pressure(stage: Stage) -> None:
    """Prints the cost of the door and of a turn beside that of the smallest transaction."""
    door, turn = door_us(), await turn_us()
    waiting = await waiting_us(is_patient=False)
    patient = await waiting_us(is_patient=True)
    name = stage.mariadb.create_database()
    database = open_database(stage.mariadb.url(name))
    migrate(database)
    store = Store(database)
    read = await read_us(store)
    store.close()
    stage.mariadb.drop_database(name)
    print_table(
        "What admission costs (goal: below 3 % of the smallest transaction)",
        ["", "µs of a processor", "of the transaction, %"],
        [
            ["the smallest transaction, in this process", read, 100.0],
            ["the door: whose call, limits, time", door, 100 * door / read],
            ["a turn, when nobody waits", turn, 100 * turn / read],
            [f"a turn, when {WAITING:,} wait", waiting, 100 * waiting / read],
            ["the same of one who is never refused", patient, 100 * patient / read],
        ],
    )


def door_us() -> float:
    admission = Admission(ClientLimits(calls_per_s=1e9))
    peers = Peers(networks("10.77.0.20"))
    begun = time.process_time()
    for _ in range(ROUNDS):
        address = peers.address_of("ipv4:10.77.0.20:51234", "10.0.0.7")
        admission.end_call(admission.call(f"address {address}"))
    return (time.process_time() - begun) / ROUNDS * 1e6


async def turn_us() -> float:
    turns, asker = Turns(8), Asker("a person", Rank.PEOPLE)
    begun = time.process_time()
    for _ in range(ROUNDS):
        with on_behalf_of(asker):
            turns.end(await turns.begin(asker))
    return (time.process_time() - begun) / ROUNDS * 1e6


async def waiting_us(*, is_patient: bool) -> float:
    """With all its waiting and waking, less what tasks cost that only wait for one another."""
    turns = Turns(2, longest_wait_s=60)
    askers = [
        Asker(f"S{number}", Rank.ARRIVALS, is_patient=is_patient) for number in range(WAITING)
    ]

    async def one(asker: Asker) -> None:
        held = await turns.begin(asker)
        await asyncio.sleep(0)
        turns.end(held)

    begun = time.process_time()
    await asyncio.gather(*map(one, askers))
    both = time.process_time() - begun
    return (both - await bare_waiting_s()) / WAITING * 1e6


async def bare_waiting_s() -> float:
    places = [asyncio.get_running_loop().create_future() for _ in range(WAITING + 1)]

    async def one(number: int) -> None:
        await places[number]
        await asyncio.sleep(0)
        places[number + 1].set_result(None)

    begun = time.process_time()
    places[0].set_result(None)
    await asyncio.gather(*map(one, range(WAITING)))
    return time.process_time() - begun


async def read_us(store: Store) -> float:
    def work(_: UnitOfWork) -> None:
        """Reads where the database stands, as every transaction does."""

    begun = time.process_time()
    for _ in range(READS):
        await store.read(work)
    return (time.process_time() - begun) / READS * 1e6
