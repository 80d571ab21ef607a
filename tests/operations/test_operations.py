"""Orders as durable operations, from their plan to their end."""

from tests.operations.section import START, STOP, PowerSupply, Section, phase, some, unit


async def test_a_start_goes_level_by_level_and_ends_when_all_are_there(section: Section) -> None:
    await section.declare(unit("LAB/A", level=2), unit("LAB/B", level=1), unit("LAB/C", level=1))
    async with section.hosted():
        operation = await section.order(START)
        assert operation.author == "shift@control-room"
        ended = await section.ended(operation)
        assert (phase(ended), ended.minor_state) == ("COMPLETED", "Done"), ended.message
        assert ended.counts.completed == ended.counts.steps == 3
        assert set(PowerSupply.started[:2]) == {"LAB/B", "LAB/C"}
        assert PowerSupply.started[2] == "LAB/A"
        assert set((await section.states()).values()) == {"RUNNING"}
        assert (await section.told(operation))["LAB/A"] == ("COMPLETED", "Reached")


async def test_what_is_there_already_ends_at_once(section: Section) -> None:
    await section.declare(*some(3))
    async with section.hosted():
        await section.ended(await section.order(START))
        again = await section.ended(await section.order(START))
        assert phase(again) == "COMPLETED"
        assert set((await section.told(again)).values()) == {("COMPLETED", "AlreadyThere")}
        stopped = await section.ended(await section.order(STOP))
        assert phase(stopped) == "COMPLETED"
        assert set((await section.states()).values()) == {"STOPPED"}
