"""Replicas and the database are killed while many write and many watch: the seven guarantees
hold all the same. `python -m tests.watch.rounds` does the same for as long as one likes."""

import random
from pathlib import Path

from tests.stages.mariadb import MariaDB
from tests.watch.rounds import WANTED, Round, ground, play

ROUNDS = (Round("replica killed"), Round("database killed"))


async def test_the_guarantees_of_a_watch_hold_whatever_is_killed_meanwhile(
    mariadb: MariaDB, mariadb_database: str, tmp_path: Path
) -> None:
    rng = random.Random(5)
    async with ground(mariadb, mariadb_database, tmp_path, rng) as laid:
        told = [await play(laid, each, rng) for each in ROUNDS]
    assert sum(each.revisions for each in told) > 0
    assert sum(each.connections for each in told) > len(ROUNDS) * 2 * len(WANTED)
