"""What is offered live while a follower catches up is handed out once."""

import asyncio

import pytest

from metadata_server.domain.change import Action, Change, Position
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.subscription import Batch, Subscription

VARIABLES = frozenset({Kind.VARIABLE})
SCRIPTS = frozenset({Kind.SCRIPT})


def at(revision: int) -> Position:
    return Position("store", 1, revision)


def batch(first: int, last: int) -> Batch:
    """One change in each revision."""
    changes = tuple(
        Change(
            revision=revision,
            ordinal=0,
            time_us=revision,
            kind=Kind.VARIABLE,
            key=revision,
            id=f"V{revision}",
            id_before="",
            action=Action.CREATED,
            subject=None,
        )
        for revision in range(first, last + 1)
    )
    return Batch(at(last), changes)


class Past:
    """Pieces of the past; while each is read, some batches are offered live."""

    def __init__(self, *pieces: tuple[Batch, list[Batch]]) -> None:
        self._pieces = list(pieces)

    async def next(self, subscription: Subscription) -> Batch | None:
        if not self._pieces:
            subscription.caught_up()
            return None
        piece, live = self._pieces.pop(0)
        for offered in live:
            subscription.offer(offered, VARIABLES)
        return piece


async def handed_out(subscription: Subscription, count: int) -> list[list[int]]:
    """Revisions of each of the next batches."""
    found = []
    for _ in range(count):
        got = await subscription.next(5)
        assert got is not None
        found.append([change.revision for change in got.changes])
    return found


async def test_what_is_offered_twice_is_handed_out_once() -> None:
    past = Past((batch(1, 3), [batch(3, 3)]), (batch(4, 6), [batch(4, 5), batch(6, 8)]))
    subscription = Subscription(VARIABLES, at(0), past.next)
    assert await handed_out(subscription, 3) == [[1, 2, 3], [4, 5, 6], [7, 8]]
    assert await subscription.next(0) is None
    assert subscription.position == at(8)


async def test_the_last_of_the_past_is_handed_out_however_late_it_was_read() -> None:
    """Whoever waited for it may have given up for that time, as those do who are told that they
    are still served. It has joined the live end by the time they come again."""
    may_end = asyncio.Event()

    async def read(subscription: Subscription) -> Batch:
        await may_end.wait()
        subscription.caught_up()
        return batch(1, 3)

    subscription = Subscription(VARIABLES, at(0), read)
    assert await subscription.next(0.01) is None
    may_end.set()
    subscription.offer(batch(4, 4), VARIABLES)
    await asyncio.sleep(0.01)
    assert subscription.position == at(0), "nothing of that was told"
    assert await handed_out(subscription, 2) == [[1, 2, 3], [4]]
    assert subscription.position == at(4)


async def test_what_a_follower_knows_from_elsewhere_is_not_told_again() -> None:
    """It comes from a replica that was ahead of this one."""
    subscription = Subscription(VARIABLES, at(5), Past().next)
    assert await subscription.next(0) is None
    for live in (batch(3, 4), batch(5, 6), batch(7, 7)):
        subscription.offer(live, VARIABLES)
    assert await handed_out(subscription, 2) == [[6], [7]]


async def test_its_position_is_past_what_does_not_concern_it() -> None:
    subscription = Subscription(VARIABLES, at(0), Past().next)
    assert await subscription.next(0) is None
    subscription.offer(batch(1, 1), VARIABLES)
    subscription.offer(batch(2, 9), SCRIPTS)
    assert subscription.position == at(0), "something is still to be handed out"
    assert await handed_out(subscription, 1) == [[1]]
    assert subscription.position == at(9)


async def test_its_position_is_not_past_what_it_has_still_to_read() -> None:
    past = Past((batch(1, 3), [batch(9, 9)]), (batch(4, 8), []))
    subscription = Subscription(SCRIPTS, at(0), past.next)
    assert await subscription.next(5) is not None
    assert subscription.position == at(3)
    assert await subscription.next(5) is not None
    assert await subscription.next(0) is None
    assert subscription.position == at(9)


async def test_a_follower_that_is_ended_while_it_waits_is_told_so() -> None:
    subscription = Subscription(VARIABLES, at(0), Past().next)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(reason_of(subscription))
        subscription.end(Refused.busy("DRAINING", "stopping"))
    assert waiting.result() == "DRAINING"


async def test_a_follower_that_waits_for_the_past_hears_so_in_time_and_is_read_to_once() -> None:
    readings = 0
    may_end = asyncio.Event()

    async def slow(_: Subscription) -> Batch:
        nonlocal readings
        readings += 1
        await may_end.wait()
        return batch(1, 3)

    subscription = Subscription(VARIABLES, at(0), slow)
    assert [await subscription.next(0.01) for _ in range(3)] == [None] * 3
    assert subscription.position == at(0)
    may_end.set()
    assert await handed_out(subscription, 1) == [[1, 2, 3]]
    assert readings == 1


async def test_nothing_is_read_for_who_has_left() -> None:
    ended = asyncio.Event()

    async def slow(_: Subscription) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    subscription = Subscription(VARIABLES, at(0), slow)
    assert await subscription.next(0.01) is None
    subscription.close()
    async with asyncio.timeout(5):
        await ended.wait()


async def reason_of(subscription: Subscription) -> str:
    with pytest.raises(Refused) as refused:
        await subscription.next(5)
    return refused.value.reason


async def test_a_follower_waits_as_long_as_it_says_whatever_it_said_before() -> None:
    subscription = Subscription(VARIABLES, at(0), Past().next)
    assert await subscription.next(0) is None
    subscription.offer(batch(1, 1), VARIABLES)
    assert await handed_out(subscription, 1) == [[1]]
    waiting = asyncio.create_task(subscription.next(60))
    await asyncio.sleep(0)
    subscription.offer(batch(2, 2), VARIABLES)
    assert await waiting is not None
    async with asyncio.timeout(5):  # its alarm is set to a minute from then
        assert await subscription.next(0.02) is None
    assert await subscription.next(0.02) is None
    late = asyncio.get_running_loop().call_later(0.1, subscription.offer, batch(3, 3), VARIABLES)
    assert await handed_out(subscription, 1) == [[3]]
    late.cancel()
    subscription.close()
