"""Lives: how they begin and end, with which configuration, through which states."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import INSTANTIATION
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.instantiation import Instantiation, LifeKey, life_of_name
from metadata_server.domain.life.report import Passed
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import Refused
from metadata_server.services.life.reports import steady_now_us
from metadata_server.services.past.instantiations import Instantiations, LifeSelection
from metadata_server.store.store import Store
from tests.services.lively import CALLER, Facility, attached, facility, report
from tests.stages.waiting import until

FINGERPRINT = f"v1:{'7' * 64}"


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def lives(lab: Facility, **selection: object) -> list[Instantiation]:
    wanted = LifeSelection(**({"control_unit": "A/PS1"} | selection))  # type: ignore[arg-type]
    answer = await Instantiations(lab.store).list(wanted, AskedList(word=INSTANTIATION))
    return list(answer.value.items)


async def live_once(lab: Facility, incarnation: str = "first") -> None:
    registered = await lab.register(incarnation=incarnation)
    now_us = steady_now_us()
    passed = (
        Passed(State.LOADED, now_us - 2_000_000, "built"),
        Passed(State.INITIALIZED, now_us - 1_000_000),
    )
    running = report("A/PS1", 1, State.RUNNING, passed=passed, fingerprint=FINGERPRINT)
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([running])
        await unit_server.report([report("A/PS2", 2, State.LOADED)])
        await until(lambda: ear.acknowledged == 2, what="the acknowledgement")
        await unit_server.say_goodbye()


async def test_a_life_tells_where_when_with_what_and_how_it_ended(lab: Facility) -> None:
    await live_once(lab)
    (life,) = await lives(lab)
    assert (life.session.host, life.session.pid, life.session.version) == ("rack1", 42, "1.2")
    assert (life.session.unit_server, life.template, life.template_version) == ("US", "Supply", 1)
    assert life.fingerprint == FINGERPRINT
    assert life.end_reason is EndReason.GOOD_BYE
    assert life.end_time_us is not None
    assert life.begin_time_us < life.end_time_us


async def test_a_life_tells_its_states_with_those_on_the_way(lab: Facility) -> None:
    await live_once(lab)
    (life,) = await lives(lab)
    assert [(each.state, each.message) for each in life.states] == [
        (State.UNLOADED, ""),
        (State.LOADED, "built"),
        (State.INITIALIZED, ""),
        (State.RUNNING, ""),
    ]


async def test_no_state_of_a_life_is_older_than_the_life(lab: Facility) -> None:
    """The unit came up from its copy on disk, or has outlived its session: what it tells of
    before belongs to no life, but it has been so from the beginning of this one."""
    await live_once(lab)
    (life,) = await lives(lab)
    _, loaded, initialized, _ = (each.time_us for each in life.states)
    assert loaded == initialized == life.begin_time_us


async def test_a_life_that_goes_on_has_no_end_and_its_present_fingerprint(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 1, State.RUNNING, fingerprint=FINGERPRINT)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    (life,) = await lives(lab)
    assert (life.end_time_us, life.end_reason, life.fingerprint) == (None, None, FINGERPRINT)


async def test_lives_are_listed_newest_first_in_pages(lab: Facility) -> None:
    for incarnation in ("first", "second", "third"):
        await live_once(lab, incarnation)
    wanted = LifeSelection(control_unit="A/PS1")
    service, two = Instantiations(lab.store), AskedList(word=INSTANTIATION, size=2)
    first = (await service.list(wanted, two)).value
    second = (await service.list(wanted, replace(two, token=first.next_page_token))).value
    found = [*first.items, *second.items]
    assert [life.session.incarnation for life in found] == ["third", "second", "first"]
    assert second.next_page_token == ""


async def test_lives_are_found_by_unit_server_too(lab: Facility) -> None:
    await live_once(lab)
    found = await lives(lab, control_unit="", unit_server="US")
    assert {life.control_unit for life in found} == {"A/PS1", "A/PS2"}


async def test_lives_are_found_by_the_time_in_which_they_were(lab: Facility) -> None:
    await live_once(lab, "first")
    await live_once(lab, "second")
    second, first = await lives(lab)
    assert first.end_time_us is not None
    assert await lives(lab, until_us=first.end_time_us) == [first]
    assert await lives(lab, since_us=second.begin_time_us) == [second]


async def test_the_life_of_a_deleted_unit_ends_removed_and_is_still_told(lab: Facility) -> None:
    await lab.register()
    await lab.resources.delete(CALLER, ControlUnit, "A/PS1", etag="*", validate_only=False)
    (life,) = await lives(lab)
    assert life.end_reason is EndReason.REMOVED
    assert life.control_unit == "A/PS1"


async def test_the_life_of_a_unit_that_moves_ends_removed(lab: Facility) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    await lab.register()
    await lab.resources.update(
        CALLER,
        ControlUnit,
        "A/PS1",
        etag="*",
        change=lambda unit: replace(unit, unit_server="OTHER"),
        validate_only=False,
    )
    (life,) = await lives(lab)
    assert life.end_reason is EndReason.REMOVED
    assert (await lives(lab, control_unit="A/PS2"))[0].end_reason is None


async def test_one_life_is_read_by_its_name(lab: Facility) -> None:
    await live_once(lab)
    (life,) = await lives(lab)
    key = life_of_name(life.name)
    assert (await Instantiations(lab.store).get(key)).value == life


async def test_what_is_not_there_is_said(lab: Facility) -> None:
    service = Instantiations(lab.store)
    with pytest.raises(Refused, match="INSTANTIATION_NOT_FOUND"):
        await service.get(LifeKey("nobody", 1))
    with pytest.raises(Refused, match="CONTROL_UNIT_NOT_FOUND"):
        await lives(lab, control_unit="B/NEVER")
    with pytest.raises(Refused, match="UNIT_SERVER_NOT_FOUND"):
        await lives(lab, control_unit="", unit_server="NEVER")


async def test_a_list_of_nothing_in_particular_is_refused(lab: Facility) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        await lives(lab, control_unit="")
    assert refused.value.fields[0].field == "control_unit"


@pytest.mark.parametrize("token", ["nonsense", "W10", "x" * 2000])
async def test_a_token_of_nothing_is_refused(lab: Facility, token: str) -> None:
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        await Instantiations(lab.store).list(
            LifeSelection(control_unit="A/PS1"), AskedList(word=INSTANTIATION, token=token)
        )


async def test_a_token_of_another_list_is_refused(lab: Facility) -> None:
    await live_once(lab, "first")
    await live_once(lab, "second")
    service, one = Instantiations(lab.store), AskedList(word=INSTANTIATION, size=1)
    page = (await service.list(LifeSelection(control_unit="A/PS1"), one)).value
    other = replace(one, token=page.next_page_token)
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        await service.list(LifeSelection(control_unit="A/PS2"), other)


@pytest.mark.parametrize("name", ["instantiations/x", "lives/s.1", "instantiations/s.zz"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="INVALID_ID"):
        life_of_name(name)
