"""In which order launches come, and how far apart."""

import asyncio
import time

from control_units.agent.turns import LaunchTurns


async def order(turns: LaunchTurns, *comers: tuple[int, str]) -> list[str]:
    """Who goes when, of some that come in this order."""
    gone: list[str] = []

    async def come(level: int, id: str) -> None:
        await turns.turn(level, id)
        gone.append(id)

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for level, id in comers:
            tasks.create_task(come(level, id))
    return gone


async def test_lower_levels_go_first_and_then_ids() -> None:
    turns = LaunchTurns(0.02, 0.02)
    await turns.turn(0, "first")
    comers = (2, "A"), (0, "D"), (-1, "E"), (2, "B"), (0, "C")
    assert await order(turns, *comers) == ["E", "C", "D", "A", "B"]


async def test_a_level_waits_for_what_was_launched_before_to_come_up() -> None:
    turns = LaunchTurns(0.0, 0.2)
    began = time.monotonic()
    await order(turns, (0, "A"), (0, "B"))
    within = time.monotonic() - began
    await order(turns, (1, "C"))
    assert within < 0.2 <= time.monotonic() - began


async def test_who_comes_late_with_a_lower_level_goes_before_who_waits() -> None:
    turns = LaunchTurns(0.2, 0.2)
    await turns.turn(0, "first")
    gone: list[str] = []

    async def come(level: int, id: str) -> None:
        await turns.turn(level, id)
        gone.append(id)

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(come(1, "high"))
        await asyncio.sleep(0)  # it waits by now
        tasks.create_task(come(0, "low"))
    assert gone == ["low", "high"]


async def test_one_that_gives_up_its_turn_stops_nobody() -> None:
    turns = LaunchTurns(0.05, 0.05)
    await turns.turn(0, "first")
    leaving = asyncio.create_task(turns.turn(0, "A"))
    staying = asyncio.create_task(turns.turn(0, "B"))
    await asyncio.sleep(0)
    leaving.cancel()
    async with asyncio.timeout(10):
        await staying
