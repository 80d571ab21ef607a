"""Orders that a guard holds off leave units to others until the mode of the machine allows them."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest
from sqlalchemy import event

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.course import Course
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.operation import Operation, Order, Phase
from metadata_server.domain.orchestration.operation_step import Step
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration import advance, operations, releasing
from metadata_server.services.orchestration.advance import Advance, Hold
from metadata_server.services.orchestration.barred_steps import held_off
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.releasing import still_held
from metadata_server.services.orchestration.steering import Steering
from metadata_server.store.orchestration.operation_steps import steps_of
from metadata_server.store.orchestration.operations import (
    claim_operation,
    due_operations,
    get_operation,
    wake_held,
)
from metadata_server.store.schema import guard
from metadata_server.store.store import Store
from metadata_server.store.traces import NoTraces
from metadata_server.store.unit_of_work import UnitOfWork
from tests.store.planned import CALLER, Plan, Unit, build

LEASE_US = 60_000_000
WAITING, TAKEN = ("PENDING", "Waiting"), ("ABORTED", "Superseded")
PLAN = Plan(
    {"US": Contact.ALIVE},
    [
        Unit("RUNS", "US", State.RUNNING, State.RUNNING, Contact.ALIVE),
        Unit("STANDS", "US", State.STOPPED, State.STOPPED, Contact.ALIVE),
    ],
)
BEAM = Guard(
    id="beam",
    description="stored beam",
    machine_mode="RING",
    modes=("BEAM",),
    forbids=(GuardedChange.ORDERS,),
    id_prefixes=("STANDS",),
)


class Facility:
    """A unit that runs, and one that is stopped and that a guard protects while there is beam."""

    def __init__(self, store: Store) -> None:
        self.store, self.resources = store, Resources(store)
        self.operations = Operations(store, on_due=lambda: None)
        self.steering = Steering(store, on_due=lambda: None)
        self.statements: list[str] = []
        self.looks: list[str] = []
        event.listen(store.database.writing, "before_cursor_execute", self.note)

    async def given(
        self,
        verb: Verb,
        *units: str,
        stage: bool = False,
        wait: bool = False,
        timeout_us: int = 0,
    ) -> Operation:
        order = Order(
            verb=verb,
            selection=UnitSelection(ids=units),
            stage=stage,
            even_so=True,
            timeout_us=timeout_us,
        )
        return (await self.operations.create(CALLER, order, Giving(wait=wait))).value

    async def told(self, operation: Operation) -> dict[str, tuple[str, str]]:
        steps = (await self.store.read(lambda unit: steps_of(unit, operation.key))).value
        return {each.id: (each.state.value, each.minor_state) for each in steps}

    async def end_the_beam(self) -> None:
        await self.resources.delete(CALLER, Guard, "beam", etag="*", validate_only=False)
        await self.store.transact(wake_held)

    async def guard_by(self, unit_filter: str, forbids: GuardedChange) -> None:
        """Protects units by what is declared of them instead."""

        def changed(guard: Guard) -> Guard:
            return replace(guard, id_prefixes=(), unit_filter=unit_filter, forbids=(forbids,))

        await self.resources.update(
            CALLER, Guard, "beam", etag="*", change=changed, validate_only=False
        )

    async def want(self, id: str, wanted: State) -> None:
        await self.resources.update(
            CALLER,
            ControlUnit,
            id,
            etag="*",
            change=lambda unit: replace(unit, desired_state=wanted),
            validate_only=False,
        )

    async def carried_on(self, operation: Operation) -> Operation:
        """An operation after a replica has done what there is to do of it for now."""

        def claim(unit: UnitOfWork) -> int | None:
            return claim_operation(unit, operation.key, replica="one", lease_us=LEASE_US)

        fence = (await self.store.transact(claim)).value
        assert fence is not None
        advance = Advance(self.store, Hold(operation.key, fence, "one", LEASE_US), NoTraces())
        await advance.load()
        async with asyncio.timeout(10):
            await advance.run()
        return (await self.operations.get(operation.id)).value

    async def looked_at(self, operation: Operation) -> Operation:
        """An operation after a replica has looked whether it is still held."""

        def work(unit: UnitOfWork) -> Operation:
            fence = claim_operation(unit, operation.key, replica="one", lease_us=LEASE_US)
            assert fence is not None
            course = Course(get_operation(unit, operation.id), steps_of(unit, operation.key))
            self.statements.clear()
            still_held(unit, course, fence=fence, lease_us=LEASE_US)
            self.looks = list(self.statements)
            return get_operation(unit, operation.id)

        return (await self.store.transact(work)).value

    def note(self, *said: object) -> None:
        self.statements.append(str(said[2]))


@pytest.fixture
async def facility(store: Store) -> Facility:
    build(store, PLAN)
    found = Facility(store)
    mode = MachineMode(id="RING", mode="BEAM", modes=("ACCESS", "BEAM"))
    for each in (mode, BEAM):
        await found.resources.create(CALLER, each, validate_only=False)
    return found


async def test_an_order_that_is_held_takes_units_over_when_it_is_released(
    facility: Facility,
) -> None:
    stop = await facility.given(Verb.STOP, "RUNS")
    start = await facility.given(Verb.START, "RUNS", "STANDS", stage=True)
    assert start.phase is Phase.HELD
    assert await facility.told(stop) == {"RUNS": WAITING}
    await facility.end_the_beam()
    assert (await facility.looked_at(start)).phase is Phase.QUEUED
    assert await facility.told(stop) == {"RUNS": TAKEN}


async def test_a_guard_that_lets_go_while_an_order_is_looked_at_is_seen(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = await facility.given(Verb.START, "STANDS", stage=True)
    answers: list[str] = []

    def lets_go(unit: UnitOfWork, order: Order, steps: Iterable[Step], *, is_new: bool) -> str:
        answers.append(held_off(unit, order, steps, is_new=is_new))
        if len(answers) == 1:
            unit.connection.execute(guard.delete())
        return answers[-1]

    monkeypatch.setattr(releasing, "held_off", lets_go)
    # What let it go here is undone when the look loses the race: the next one finds it held again.
    assert (await facility.looked_at(start)).phase is Phase.HELD
    assert [bool(each) for each in answers] == [True, False, True, True]


async def test_an_order_that_was_held_waits_for_people_where_its_plan_is_not_so_any_more(
    facility: Facility,
) -> None:
    start = await facility.given(Verb.START, "RUNS", "STANDS", stage=True, timeout_us=LEASE_US)
    assert start.deadline_us
    stop = await facility.given(Verb.STOP, "RUNS")
    await facility.want("RUNS", State.STOPPED)
    await facility.end_the_beam()
    found = await facility.looked_at(start)
    assert (found.phase, found.deadline_us) == (Phase.PENDING, 0)
    assert "RUNS is RUNNING, wanted STOPPED" in found.message
    assert await facility.told(stop) == {"RUNS": WAITING}


@pytest.mark.parametrize("first", [0, 1])
async def test_of_orders_that_are_held_the_later_one_counts(facility: Facility, first: int) -> None:
    start = await facility.given(Verb.START, "STANDS", stage=True)
    unload = await facility.given(Verb.UNLOAD, "STANDS", stage=True)
    await facility.end_the_beam()
    for each in (start, unload) if first == 0 else (unload, start):
        await facility.looked_at(each)
    assert await facility.told(start) == {"STANDS": TAKEN}
    assert await facility.told(unload) == {"STANDS": WAITING}


async def test_an_order_that_was_held_and_paused_takes_units_over_when_it_is_resumed(
    facility: Facility,
) -> None:
    stop = await facility.given(Verb.STOP, "RUNS")
    start = await facility.given(Verb.START, "RUNS", "STANDS", stage=True)
    await facility.steering.pause(CALLER, start.id, validate_only=False)
    await facility.end_the_beam()
    assert await facility.told(stop) == {"RUNS": WAITING}
    await facility.steering.resume(CALLER, start.id, validate_only=False)
    assert await facility.told(stop) == {"RUNS": TAKEN}


@pytest.mark.parametrize("wait", [False, True], ids=["paused", "pending"])
async def test_an_order_that_is_resumed_while_a_guard_forbids_it_takes_nothing_over(
    facility: Facility, *, wait: bool
) -> None:
    stop = await facility.given(Verb.STOP, "RUNS")
    start = await facility.given(Verb.START, "RUNS", "STANDS", stage=True, wait=wait)
    await facility.steering.pause(CALLER, start.id, validate_only=False)
    resumed = (await facility.steering.resume(CALLER, start.id, validate_only=False)).value
    assert resumed.phase is Phase.HELD
    assert "STANDS: guards/beam forbids it" in resumed.message
    assert (await facility.looked_at(start)).phase is Phase.HELD
    assert await facility.told(stop) == {"RUNS": WAITING}
    await facility.end_the_beam()
    assert (await facility.looked_at(start)).phase is Phase.QUEUED
    assert await facility.told(stop) == {"RUNS": TAKEN}


async def test_a_look_at_an_order_that_is_held_reads_no_steps(facility: Facility) -> None:
    await facility.given(Verb.STOP, "RUNS")
    start = await facility.given(Verb.START, "RUNS", "STANDS", stage=True)
    assert (await facility.looked_at(start)).phase is Phase.HELD
    assert facility.looks
    assert not [each for each in facility.looks if "operation_step" in each]


BY_FILTER = [
    pytest.param("desired=RUNNING", GuardedChange.ORDERS, id="comes-into-reach"),
    pytest.param("desired=STOPPED", GuardedChange.PARAMETERS, id="would-slip-out-of-reach"),
]


@pytest.mark.parametrize(("unit_filter", "forbids"), BY_FILTER)
async def test_an_order_that_would_move_a_unit_into_or_out_of_reach_is_held(
    facility: Facility, unit_filter: str, forbids: GuardedChange
) -> None:
    await facility.guard_by(unit_filter, forbids)
    start = await facility.given(Verb.START, "STANDS", stage=True)
    assert start.phase is Phase.HELD
    found = await facility.carried_on(start)
    assert (found.phase, found.revision) == (Phase.HELD, start.revision)
    assert "STANDS: guards/beam forbids it while machine_modes/RING is BEAM" in found.message
    await facility.end_the_beam()
    assert (await facility.looked_at(found)).phase is Phase.QUEUED


@pytest.mark.parametrize(("unit_filter", "forbids"), BY_FILTER)
async def test_an_order_that_is_not_staged_is_blocked_by_the_same_guards(
    facility: Facility, unit_filter: str, forbids: GuardedChange
) -> None:
    await facility.guard_by(unit_filter, forbids)
    start = await facility.given(Verb.START, "STANDS")
    assert await facility.told(start) == {"STANDS": ("SKIPPED", "Blocked")}


async def test_an_order_stays_held_where_its_units_are_wanted_elsewhere_meanwhile(
    facility: Facility,
) -> None:
    stop = await facility.given(Verb.STOP, "RUNS")
    await facility.guard_by("desired=RUNNING id:STANDS", GuardedChange.ORDERS)
    start = await facility.given(Verb.START, "RUNS", "STANDS", stage=True)
    await facility.want("STANDS", State.LOADED)
    assert (await facility.looked_at(start)).phase is Phase.HELD
    assert await facility.told(stop) == {"RUNS": WAITING}


async def test_a_guard_holds_back_what_would_want_nothing_of_a_unit_any_more(
    facility: Facility,
) -> None:
    """As a way back does where nothing was wanted before."""
    order = Order(verb=Verb.START, selection=UnitSelection(ids=("STANDS",)), stage=True)

    def work(unit: UnitOfWork) -> str:
        key = unit.keys.key_of(Kind.CONTROL_UNIT, "STANDS")
        back = Step(position=1, unit_key=key, id="STANDS", is_way_back=True)
        return held_off(unit, order, [back])

    await facility.resources.delete(CALLER, Guard, "beam", etag="*", validate_only=False)
    await facility.want("STANDS", State.RUNNING)  # as the step has told it that is taken back
    await facility.resources.create(CALLER, BEAM, validate_only=False)
    assert "STANDS: guards/beam forbids it" in (await facility.store.read(work)).value


async def test_an_order_that_is_held_for_what_no_look_finds_is_looked_at_again_later(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (advance, operations, releasing):
        monkeypatch.setattr(each, "held_off", lambda *_, **__: "")
    start = await facility.given(Verb.START, "STANDS", stage=True)
    assert start.phase is Phase.QUEUED
    found = await facility.carried_on(start)
    assert (found.phase, found.replica) == (Phase.HELD, "")
    assert "STANDS: " in found.message
    assert "guards/beam forbids it" in found.message
    assert (await facility.store.read(due_operations)).value == []
    assert (await facility.store.transact(wake_held)).value == 1
    again = await facility.carried_on(start)
    assert again.revision - found.revision <= 3
