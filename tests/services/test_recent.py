"""What was told lately is told again to who was away, and only where nothing is missing."""

import asyncio
import gc

import pytest

from metadata_server.domain.change import Position
from metadata_server.domain.names import Kind
from metadata_server.domain.turn import Rank
from metadata_server.domain.watch import WatchFilter
from metadata_server.services.watching.recent import Recent
from metadata_server.services.watching.subscription import Batch
from metadata_server.store.store import Store
from tests.services.test_subscription import SCRIPTS, VARIABLES, at, batch
from tests.services.watched import following, told, write

BOTH = VARIABLES | SCRIPTS


@pytest.fixture
def recent() -> Recent:
    """Revisions 11 to 13 in one batch, 14 in one, 15 and 16 in one."""
    found = Recent()
    for first, last in ((11, 13), (14, 14), (15, 16)):
        found.add(at(first - 1), batch(first, last), VARIABLES)
    return found


def revisions(found: Batch | None) -> list[int] | None:
    return None if found is None else [each.revision for each in found.changes]


def test_who_was_away_is_told_what_came_next(recent: Recent) -> None:
    assert revisions(recent.after(at(10), VARIABLES)) == [11, 12, 13]
    assert revisions(recent.after(at(13), VARIABLES)) == [14]
    assert revisions(recent.after(at(15), VARIABLES)) == [16]


def test_what_is_not_known_is_not_told(recent: Recent) -> None:
    assert recent.after(at(9), VARIABLES) is None
    assert recent.after(at(16), VARIABLES) is None
    assert recent.after(at(10), BOTH) is None
    assert recent.after(Position("store", 2, 10), VARIABLES) is None
    assert recent.after(Position("another", 1, 10), VARIABLES) is None


def test_all_who_have_a_batch_at_a_time_have_the_same_one_and_it_goes_with_them(
    recent: Recent,
) -> None:
    first = recent.after(at(10), VARIABLES)
    assert first is recent.after(at(10), VARIABLES)
    del first
    gc.collect()
    assert not [
        each for each in gc.get_objects() if type(each) is Batch and each.position == at(13)
    ]


def test_it_is_bounded_by_changes_and_by_time() -> None:
    few = Recent(most_changes=5)
    few.add(at(0), batch(1, 3), VARIABLES)
    few.add(at(3), batch(4, 4), VARIABLES)
    assert few.after(at(0), VARIABLES) is None
    assert revisions(few.after(at(3), VARIABLES)) == [4]
    few.add(at(4), batch(5, 20), VARIABLES)
    assert few.after(at(4), VARIABLES) is None
    short = Recent(kept_s=0)
    short.add(at(0), batch(1, 1), VARIABLES)
    short.forget_old()
    assert short.after(at(0), VARIABLES) is None


async def test_nothing_is_read_for_who_comes_back_soon(store: Store) -> None:
    wanted = WatchFilter(kinds=frozenset({Kind.VARIABLE}))
    async with following(store) as replica, replica.tailer.subscribe() as watched:
        begin = await replica.present()
        written = [await write(store, f"step/{step}") for step in range(5)]
        while watched.reached is None or watched.reached < written[-1]:
            await watched.next(5)
        before = store.turns.told[Rank.LIFE].admitted
        again = await replica.up_to(written[-1].revision, after=begin, wanted=wanted)
        stays = await asyncio.wait_for(replica.up_to(written[-1].revision, after=written[-1]), 5)
        assert store.turns.told[Rank.LIFE].admitted == before
    assert list(told(again).values()) == [{f"step/{step}"} for step in range(5)]
    assert stays[-1].position == written[-1]
