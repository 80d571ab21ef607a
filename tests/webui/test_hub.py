"""Each browser gets the newest, at its own speed, and costs nothing while it waits."""

import asyncio
import json
import sys
from typing import Any

import pytest

from webui.live.hub import KEPT_PICTURES, Hub, HubFull, Viewer
from webui.live.message import Message
from webui.live.pulse import ALL, KEPT_PULSES, Pulse


@pytest.fixture
def hub() -> Hub:
    return Hub(most_viewers=3)


def show(hub: Hub, *, touched: frozenset[str] | None = frozenset(), **pieces: str) -> None:
    hub.show(link="live", pieces=pieces, lists={"list": tuple(pieces)}, touched=touched)


async def take(hub: Hub, viewer: Viewer) -> list[Message]:
    async with asyncio.timeout(2):
        return await hub.next(viewer)


def data(message: Message) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(message.data)
    return decoded


async def test_a_browser_without_a_picture_gets_everything(hub: Hub) -> None:
    show(hub, a="1", b="2")
    with hub.viewer("") as viewer:
        (message,) = await take(hub, viewer)
    assert message.event == "picture"
    assert data(message) == {
        "link": "live",
        "pieces": {"a": "1", "b": "2"},
        "lists": {"list": ["a", "b"]},
        "touched": None,
    }


async def test_a_browser_that_has_the_newest_picture_gets_nothing(hub: Hub) -> None:
    show(hub, a="1")
    with hub.viewer(hub.picture_id(hub.picture)) as viewer, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await hub.next(viewer)


async def test_only_what_differs_is_sent(hub: Hub) -> None:
    show(hub, a="1", b="2")
    with hub.viewer(hub.picture_id(hub.picture)) as viewer:
        show(hub, a="1", b="3")
        (message,) = await take(hub, viewer)
    assert data(message)["pieces"] == {"b": "3"}
    assert data(message)["lists"] == {}


async def test_a_slow_browser_gets_the_newest_and_not_what_lay_between(hub: Hub) -> None:
    show(hub, a="0")
    with hub.viewer(hub.picture_id(hub.picture)) as viewer:
        for number in range(1, 11):
            show(hub, a=str(number), touched=frozenset({f"control_units/{number % 3}"}))
        (message,) = await take(hub, viewer)
        assert data(message)["pieces"] == {"a": "10"}
        assert data(message)["touched"] == [f"control_units/{n}" for n in range(3)]
        assert message.id == hub.picture_id(hub.picture)


async def test_many_changed_units_between_are_told_as_many(hub: Hub) -> None:
    show(hub, a="0")
    with hub.viewer(hub.picture_id(hub.picture)) as viewer:
        show(hub, a="1", touched=None)
        show(hub, a="2", touched=frozenset({"control_units/x"}))
        (message,) = await take(hub, viewer)
    assert data(message)["touched"] is None


async def test_a_browser_that_waits_costs_no_memory(hub: Hub) -> None:
    with hub.viewer("") as viewer:
        for number in range(10 * KEPT_PICTURES):
            show(hub, a=f"{number}" * 100)
            hub.beat(Pulse(number * 1000, "", {"PS/0": number}))
        assert sys.getsizeof(viewer) < 200
        assert len(hub._pictures) == KEPT_PICTURES
        messages = await take(hub, viewer)
        assert [message.event for message in messages] == ["picture", "pulse"]
        assert data(messages[1]) == {"time": 10 * KEPT_PICTURES - 1, "clock": "", "whole": True}


async def test_a_browser_that_was_away_too_long_gets_everything(hub: Hub) -> None:
    show(hub, a="0", b="never changes")
    old = hub.picture_id(hub.picture)
    for number in range(KEPT_PICTURES + 1):
        show(hub, a=str(number + 1), b="never changes")
    with hub.viewer(old) as viewer:
        (message,) = await take(hub, viewer)
    assert set(data(message)["pieces"]) == {"a", "b"}


async def test_a_picture_of_an_earlier_run_is_not_taken_for_one_of_this(hub: Hub) -> None:
    earlier = Hub(most_viewers=1)
    show(earlier, a="1")
    show(hub, a="1")
    with hub.viewer(earlier.picture_id(earlier.picture)) as viewer:
        (message,) = await take(hub, viewer)
    assert data(message)["pieces"] == {"a": "1"}


@pytest.mark.parametrize("id", ["", "-", "x", "1-2-3", "²", "a-²", "9" * 5000])
async def test_a_picture_id_that_is_none_means_everything(hub: Hub, id: str) -> None:
    show(hub, a="1")
    with hub.viewer(id) as viewer:
        assert data((await take(hub, viewer))[0])["touched"] is None


def beat(hub: Hub, second: int, **heard: int) -> None:
    """
    Args:
        heard: by unit server the second of its last heartbeat.
    """
    hub.beat(Pulse(second * 1_000_000, "", {id: at * 1_000_000 for id, at in heard.items()}))


async def ages(hub: Hub, viewer: Viewer) -> dict[str, Any]:
    (message,) = await take(hub, viewer)
    told = data(message)
    return {**told.get("ages", {}), **({"whole": True} if "whole" in told else {})}


async def test_only_heartbeats_that_are_new_are_sent(hub: Hub) -> None:
    newest = hub.picture_id(hub.picture)
    with hub.viewer(newest, ALL) as viewer, hub.viewer(newest, frozenset("ax")) as other:
        beat(hub, 10, a=10, b=8)
        assert await ages(hub, viewer) == {"a": 0, "b": 2, "whole": True}
        assert await ages(hub, other) == {"a": 0, "whole": True}
        beat(hub, 11, a=10, b=8)
        assert await ages(hub, viewer) == {}
        beat(hub, 12, a=10, b=12, c=11)
        assert await ages(hub, viewer) == {"b": 0, "c": 1}
        # Who was slow hears at once of all that lay between, and of what has gone.
        beat(hub, 13, a=13, c=11)
        assert await ages(hub, other) == {"a": 0}
        assert await ages(hub, viewer) == {"a": 0, "b": None}


async def test_a_browser_that_missed_many_pulses_is_told_of_all_heartbeats(hub: Hub) -> None:
    with hub.viewer(hub.picture_id(hub.picture), ALL) as viewer:
        beat(hub, 1, a=1, b=1)
        await ages(hub, viewer)
        for second in range(2, KEPT_PULSES + 4):
            beat(hub, second, a=1)
        assert await ages(hub, viewer) == {"a": KEPT_PULSES + 2, "whole": True}


async def test_a_page_without_heartbeats_is_sent_the_time_alone(hub: Hub) -> None:
    with hub.viewer(hub.picture_id(hub.picture)) as viewer:
        beat(hub, 1, a=1)
        await ages(hub, viewer)
        beat(hub, 2, a=2)
        assert (await take(hub, viewer))[0].data == '{"time":2000,"clock":""}'


async def test_the_same_picture_wakes_nobody(hub: Hub) -> None:
    show(hub, a="1")
    number = hub.picture.number
    show(hub, a="1")
    assert hub.picture.number == number
    # The units behind an unchanged page may have changed all the same.
    show(hub, a="1", touched=frozenset({"control_units/x"}))
    assert hub.picture.number == number + 1


async def test_a_difference_is_worked_out_once_for_all(hub: Hub) -> None:
    show(hub, a="1")
    id = hub.picture_id(hub.picture)
    with hub.viewer(id) as one, hub.viewer(id) as other:
        show(hub, a="2")
        assert (await take(hub, one))[0] is (await take(hub, other))[0]


async def test_there_are_only_so_many_seats(hub: Hub) -> None:
    with hub.viewer(""), hub.viewer(""):
        with hub.viewer(""), pytest.raises(HubFull), hub.viewer(""):
            pass
        with hub.viewer(""):
            assert hub.viewers == 3
    assert hub.viewers == 0


async def test_closing_ends_those_who_wait(hub: Hub) -> None:
    with hub.viewer(hub.picture_id(hub.picture)) as viewer:
        waiting = asyncio.create_task(hub.next(viewer))
        await asyncio.sleep(0)
        hub.close()
        async with asyncio.timeout(2):
            assert await waiting == []


def test_an_event_is_framed_as_browsers_read_it() -> None:
    assert Message("pulse", "{}").encoded == b"event: pulse\ndata: {}\n\n"
    assert Message("picture", "a\nb", "r-1").encoded == (
        b"event: picture\nid: r-1\ndata: a\ndata: b\n\n"
    )
