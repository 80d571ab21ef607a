"""Units that go from one live unit server to another: two must not drive one device."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from metadata_server.domain.change import Position
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.registration import Registered
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import State
from metadata_server.services.intent.renaming import Renaming
from metadata_server.services.life.attachment import Attachment
from metadata_server.services.life.leaving import Leaving
from metadata_server.store.life.endings import end_now
from metadata_server.store.life.instantiations import begin_leaving
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.lively import CALLER, TIMING, Ear, Facility, attached, facility, report
from tests.services.test_instantiations import lives
from tests.stages.waiting import until

PS1 = "A/PS1"


@pytest.fixture
async def moving(store: Store) -> AsyncIterator[Facility]:
    """Unit server OTHER, to which units of US go."""
    async with facility(store) as lab:
        await lab.declare(PS1, "A/PS2")
        await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
        yield lab


@asynccontextmanager
async def other(lab: Facility) -> AsyncIterator[Ear]:
    registered = await lab.register(unit_server="OTHER", incarnation="other")
    assert registered.assignments == ()
    async with attached(lab, registered, tells_let_go=True) as (_, ear):
        await until(lambda: ear.words, what="its first word")
        yield ear


async def go(lab: Facility, ear: Ear, to: str = "OTHER") -> int:
    """Moves the unit away; number of the word that says so."""
    words = len(ear.words)
    await lab.change(PS1, unit_server=to)
    told = await until(lambda: [w for w in ear.words[words:] if PS1 in w.removed], what="the word")
    return int(told[0].removal)


async def is_kept_back(lab: Facility, ear: Ear, neighbour: str) -> None:
    """A unit that is declared later comes, and the one that was moved has not."""
    await lab.declare(neighbour, server="OTHER")
    await until(lambda: neighbour in ear.assigned, what="the neighbour")
    assert PS1 not in ear.assigned
    status = (await lab.statuses())[PS1]
    assert (status.state, status.session) == (State.UNLOADED, "")
    assert status.message.startswith("It has left unit server US; another one loads it when")


async def comes(lab: Facility, ear: Ear) -> None:
    await until(lambda: PS1 in ear.assigned, what="the unit that was moved")
    status = (await lab.statuses())[PS1]
    assert (status.unit_server, status.message) == ("OTHER", "")


@asynccontextmanager
async def driven_by_us(
    lab: Facility, *, tells_let_go: bool = True
) -> AsyncIterator[tuple[Attachment, Ear]]:
    registered = await lab.register()
    async with attached(lab, registered, tells_let_go=tells_let_go) as (us, ear):
        await until(lambda: ear.words, what="the first word")
        await us.report([report(PS1, 1, State.RUNNING)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        yield us, ear


async def test_a_unit_comes_when_the_one_before_says_that_it_has_let_go(moving: Facility) -> None:
    async with driven_by_us(moving) as (us, ear), other(moving) as others:
        removal = await go(moving, ear)
        await is_kept_back(moving, others, "B/ONE")
        (life,) = await lives(moving)
        assert (life.end_reason, life.end_time_us) == (EndReason.REMOVED, None)
        us.leaving.let_go(removal, [PS1])
        await comes(moving, others)
    newer, older = await lives(moving)
    assert older.end_time_us is not None
    assert older.end_time_us <= newer.begin_time_us


async def test_who_registers_meanwhile_does_not_get_it_before_the_good_bye(
    moving: Facility,
) -> None:
    async with driven_by_us(moving) as (us, ear):
        await go(moving, ear)
        async with other(moving) as others:
            await is_kept_back(moving, others, "B/ONE")
            await us.say_goodbye()
            await comes(moving, others)


async def test_who_is_out_of_touch_keeps_it_until_its_session_has_ended(moving: Facility) -> None:
    async with driven_by_us(moving):
        pass
    async with other(moving) as others:
        await moving.change(PS1, unit_server="OTHER")
        await is_kept_back(moving, others, "B/ONE")
        us, _ = await moving.held()
        await moving.store.transact(lambda unit: end_now(unit, us.id, EndReason.LEASE_ENDED))
        await comes(moving, others)


async def test_who_never_tells_of_it_is_given_as_long_as_a_lease_runs(moving: Facility) -> None:
    async with driven_by_us(moving, tells_let_go=False) as (us, ear), other(moving) as others:
        await go(moving, ear)
        await is_kept_back(moving, others, "B/ONE")
        us.heartbeat(0.0, "")
        await is_kept_back(moving, others, "B/TWO")
        us.leaving.clock = lambda: time.monotonic() + TIMING.lease_us / 1_000_000
        us.heartbeat(0.0, "")
        await comes(moving, others)


async def test_a_unit_whose_name_is_another_ones_by_now_is_not_waited_for_for_ever(
    moving: Facility,
) -> None:
    async with driven_by_us(moving) as (us, ear), other(moving) as others:

        def swap(work: UnitOfWork) -> None:
            found = work.resources.find(ControlUnit, [PS1, "A/PS2"], lock=True)
            work.save(replace(found[PS1], id="C/PS1", unit_server="OTHER"))
            work.save(replace(found["A/PS2"], id=PS1))
            begin_leaving(work, [found[PS1].meta.key])

        await moving.store.transact(swap, caller=CALLER)
        await until(lambda: PS1 in ear.assigned, what="its name for the other one")
        assert PS1 not in ear.removed
        us.leaving.clock = lambda: time.monotonic() + TIMING.lease_us / 1_000_000
        us.heartbeat(0.0, "")
        await until(lambda: "C/PS1" in others.assigned, what="the unit that was moved")


async def test_one_that_was_deleted_is_not_created_on_another_before_it_has_let_go(
    moving: Facility,
) -> None:
    async with driven_by_us(moving) as (us, ear), other(moving) as others:
        await moving.resources.delete(CALLER, ControlUnit, PS1, etag="*", validate_only=False)
        await moving.declare(PS1, "B/ONE", server="OTHER")
        await until(lambda: "B/ONE" in others.assigned, what="the neighbour")
        assert PS1 not in others.assigned
        await until(lambda: PS1 in ear.removed, what="the word")
        (removal,) = [word.removal for word in ear.words if PS1 in word.removed]
        us.leaving.let_go(removal, [PS1])
        await comes(moving, others)


async def test_an_answer_to_an_older_word_counts_no_more(moving: Facility) -> None:
    async with driven_by_us(moving) as (us, ear), other(moving) as others:
        older = await go(moving, ear)
        await moving.change(PS1, unit_server="US")
        await until(lambda: PS1 in ear.assigned, what="the way back")
        newer = await go(moving, ear)
        us.leaving.let_go(older, [PS1])
        await is_kept_back(moving, others, "B/ONE")
        us.leaving.let_go(newer, [PS1])
        await comes(moving, others)


async def told_on_a_stream_that_broke(lab: Facility) -> tuple[Registered, Position]:
    """Unit server US has been told that the unit leaves it; its session, and what it has seen."""
    registered = await lab.register()
    async with attached(lab, registered, tells_let_go=True) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        await go(lab, ear)
    return registered, ear.words[-1].position


async def test_what_was_told_on_a_stream_that_broke_is_told_again_on_the_next(
    moving: Facility,
) -> None:
    registered, seen = await told_on_a_stream_that_broke(moving)
    async with (
        attached(moving, registered, seen, tells_let_go=True) as (us, later),
        other(moving) as others,
    ):
        await until(lambda: PS1 in later.removed, what="the word again")
        await is_kept_back(moving, others, "B/ONE")
        us.leaving.let_go(later.words[0].removal, [PS1])
        await comes(moving, others)


async def test_what_came_back_and_left_again_is_not_let_go_of_by_an_answer_under_way(
    moving: Facility,
) -> None:
    async with driven_by_us(moving) as (us, _):
        touched: list[str] = []
        leaving = Leaving(us.session, us._means, lambda: touched.append("once"), tells=True)
        leaving.expect({1: {PS1}, 2: {"A/PS2"}})
        first = leaving.told([PS1, "A/PS2"])
        leaving.back({1})
        leaving.expect({1: {PS1}})
        leaving.let_go(first, [PS1])
        assert touched == []
        leaving.let_go(first, ["A/PS2"])
        assert touched == ["once"]


async def test_one_that_is_renamed_while_it_leaves_is_let_go_of_by_the_name_that_its_process_knows(
    moving: Facility,
) -> None:
    registered, _ = await told_on_a_stream_that_broke(moving)
    await Renaming(moving.store).rename(CALLER, PS1, "C/PS1", etag="*", validate_only=False)
    seen = await moving.position()
    async with attached(moving, registered, seen, tells_let_go=True) as (_, later):
        await until(lambda: {PS1, "C/PS1"} <= later.removed, what="both names")


async def test_what_is_let_go_of_while_a_word_is_made_does_not_wait_for_the_next(
    moving: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with driven_by_us(moving) as (us, ear), other(moving) as others:
        removal = await go(moving, ear)
        refresh = us._refresh

        async def meanwhile() -> None:
            await refresh()
            monkeypatch.setattr(us, "_refresh", refresh)
            us.leaving.let_go(removal, [PS1])

        monkeypatch.setattr(us, "_refresh", meanwhile)
        us.heartbeat(0.0, "")
        await comes(moving, others)
