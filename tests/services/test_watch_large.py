"""A revision that takes long to tell: watchers hear that they are served, others are answered."""

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest

from metadata_server.domain.watch import Event, events_of
from metadata_server.services.watching import watch
from metadata_server.services.watching.patience import with_signs_of_life
from metadata_server.store.store import Store
from tests.services.watched import EVERYTHING, following, told, write


async def test_signs_come_until_it_is_made() -> None:
    may_end = asyncio.Event()

    async def making() -> str:
        await may_end.wait()
        return "made"

    signs = []
    async with aclosing(with_signs_of_life(making(), 0.01)) as found:
        async for sign in found:
            signs.append(sign)
            if len(signs) == 3:
                may_end.set()
    assert signs[:3] == [None] * 3
    assert signs[-1] == "made"


async def test_who_leaves_ends_what_was_made_for_them() -> None:
    ended = asyncio.Event()

    async def making() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "made"

    async with aclosing(with_signs_of_life(making(), 0.01)) as found:
        assert await anext(found) is None
    async with asyncio.timeout(5):
        await ended.wait()


async def test_a_failure_is_told() -> None:
    async def making() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await anext(with_signs_of_life(making(), 5))


async def test_while_a_large_revision_is_made_others_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "CHANGES_AT_ONCE", 10)

    def slow(*arguments: Any) -> tuple[Event, ...]:
        time.sleep(0.5)  # its processor time, on a small scale
        return events_of(*arguments)

    monkeypatch.setattr(watch, "events_of", slow)
    async with following(store, bookmark_s=0.05) as replica:
        begin = await replica.present()
        written = await write(store, *(f"bulk/{number:03}" for number in range(40)))
        notices, longest = await asyncio.gather(
            replica.up_to(written.revision, after=begin, wanted=EVERYTHING), longest_pause(0.4)
        )
    assert sum(notice.position == begin and not notice.events for notice in notices) >= 3
    assert len(told([notices[-1]])[written.revision]) == 40
    assert longest < 0.3


async def longest_pause(seconds: float) -> float:
    """Between two turns of the event loop."""
    end, longest = time.monotonic() + seconds, 0.0
    while (last := time.monotonic()) < end:
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - last)
    return longest
