"""A later order takes units over from earlier ones: when it begins, and only those that it is
about."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.course import Course
from metadata_server.domain.orchestration.operation import Operation, Order, Phase, UnitEdits
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.renaming import Renaming
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.services.orchestration.step_begin import Begun, begin
from metadata_server.services.orchestration.supersession import OPEN
from metadata_server.store.orchestration.operation_steps import set_steps, steps_of
from metadata_server.store.orchestration.operations import get_operation
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.store.planned import Plan, Unit, build

SHIFT = Caller(principal=Principal("shift"), method="Operations.CreateOperation")
WAITING, TAKEN = ("PENDING", "Waiting"), ("ABORTED", "Superseded")
PLAN = Plan(
    {"US": Contact.ALIVE},
    [
        Unit("RUNS", "US", State.RUNNING, State.RUNNING, Contact.ALIVE),
        Unit("STANDS", "US", State.STOPPED, State.STOPPED, Contact.ALIVE),
        Unit("LACKS", "US", State.STOPPED, State.STOPPED, Contact.ALIVE),
        Unit("FAILED", "US", State.STOPPED, State.RECOVERABLE_ERROR, Contact.ALIVE),
    ],
)


@pytest.fixture
async def operations(store: Store) -> Operations:
    """Orders to a unit that runs, one that is stopped, and one that lacks what it requires."""
    build(store, PLAN)
    await Resources(store).update(
        SHIFT,
        ControlUnit,
        "LACKS",
        etag="*",
        change=lambda unit: replace(unit, requires=("GONE",)),
        validate_only=False,
    )
    return Operations(store, on_due=lambda: None)


def order(verb: Verb, *units: str, edits: Mapping[str, str | None] | None = None) -> Order:
    changes = tuple(FieldEdit(path, value) for path, value in (edits or {}).items())
    return Order(verb=verb, selection=UnitSelection(ids=units), edits=changes)


async def given(
    operations: Operations,
    verb: Verb,
    *units: str,
    takes_over: list[str],
    wait: bool = False,
    edits: Mapping[str, str | None] | None = None,
) -> Operation:
    """The order, whose plan says from which operations it takes units over."""
    wanted = order(verb, *units, edits=edits)
    assert list((await operations.plan(wanted)).value.supersedes) == sorted(takes_over)
    return (await operations.create(SHIFT, wanted, Giving(wait=wait))).value


async def told(store: Store, operation: Operation) -> Mapping[str, tuple[str, str]]:
    steps = (await store.read(lambda unit: steps_of(unit, operation.key))).value
    return {each.id: (each.state.value, each.minor_state) for each in steps}


async def test_an_order_takes_no_unit_over_that_it_leaves_out(
    store: Store, operations: Operations
) -> None:
    older = await given(operations, Verb.UNLOAD, "LACKS", "STANDS", takes_over=[])
    blocked = await given(operations, Verb.START, "LACKS", takes_over=[])
    assert await told(store, blocked) == {"LACKS": ("SKIPPED", "Blocked")}
    await given(operations, Verb.START, "LACKS", "STANDS", takes_over=[older.name])
    assert await told(store, older) == {"LACKS": WAITING, "STANDS": TAKEN}


async def test_an_order_takes_units_over_that_shall_stay_where_they_are(
    store: Store, operations: Operations
) -> None:
    stop = await given(operations, Verb.STOP, "RUNS", takes_over=[])
    after_all = await given(operations, Verb.START, "RUNS", takes_over=[stop.name])
    assert await told(store, after_all) == {"RUNS": ("COMPLETED", "AlreadyThere")}
    assert await told(store, stop) == {"RUNS": TAKEN}


async def test_a_recovery_takes_no_unit_over_that_has_nothing_to_recover_from(
    store: Store, operations: Operations
) -> None:
    stop = await given(operations, Verb.STOP, "RUNS", takes_over=[])
    await given(operations, Verb.RECOVER, "RUNS", takes_over=[])
    assert await told(store, stop) == {"RUNS": WAITING}


async def test_an_edit_lets_others_end_what_they_have_to_do(
    store: Store, operations: Operations
) -> None:
    stop = await given(operations, Verb.STOP, "RUNS", takes_over=[])
    level = await given(operations, Verb.EDIT, "RUNS", edits={"level": "2"}, takes_over=[])
    text = {"description": "main"}
    await given(operations, Verb.EDIT, "RUNS", edits=text, takes_over=[])
    assert await told(store, stop) == await told(store, level) == {"RUNS": WAITING}
    await given(operations, Verb.START, "RUNS", takes_over=[stop.name])
    assert await told(store, level) == {"RUNS": WAITING}


async def test_an_edit_takes_over_from_those_that_change_the_same(
    store: Store, operations: Operations
) -> None:
    edits = {"labels": None, "desired_state": "STOPPED"}
    start = await given(operations, Verb.START, "STANDS", takes_over=[])
    edit = await given(operations, Verb.EDIT, "STANDS", edits=edits, takes_over=[start.name])
    assert await told(store, start) == {"STANDS": TAKEN}
    one = {"labels[part]": "arc"}
    later = await given(operations, Verb.EDIT, "STANDS", edits=one, takes_over=[edit.name])
    assert await told(store, edit) == {"STANDS": TAKEN}
    await given(operations, Verb.UNLOAD, "STANDS", takes_over=[])
    assert await told(store, later) == {"STANDS": WAITING}


async def test_a_recovery_leaves_the_wanted_state_to_others(
    store: Store, operations: Operations
) -> None:
    start = await given(operations, Verb.START, "FAILED", takes_over=[])
    recovery = await given(operations, Verb.RECOVER, "FAILED", takes_over=[])
    assert await told(store, start) == {"FAILED": WAITING}
    await given(operations, Verb.UNLOAD, "FAILED", takes_over=[start.name, recovery.name])
    assert await told(store, recovery) == {"FAILED": TAKEN}


async def test_an_order_that_waits_takes_units_over_when_it_is_resumed(
    store: Store, operations: Operations
) -> None:
    older = await given(operations, Verb.UNLOAD, "LACKS", "RUNS", "STANDS", takes_over=[])
    tomorrow = await given(
        operations, Verb.START, "LACKS", "RUNS", "STANDS", takes_over=[older.name], wait=True
    )
    waiting = dict.fromkeys(("LACKS", "RUNS", "STANDS"), WAITING)
    assert await told(store, older) == waiting
    steering = Steering(store, on_due=lambda: None)
    await steering.resume(SHIFT, tomorrow.id, validate_only=True)
    assert await told(store, older) == waiting
    resumed = (await steering.resume(SHIFT, tomorrow.id, validate_only=False)).value
    assert (resumed.phase, resumed.counts.pending) == (Phase.QUEUED, 1)
    assert await told(store, older) == {"LACKS": WAITING, "RUNS": TAKEN, "STANDS": TAKEN}
    assert (await operations.get(older.id)).value.counts.aborted == 2
    assert (await told(store, tomorrow))["STANDS"] == WAITING


async def test_an_order_that_waits_may_have_nothing_to_do(
    store: Store, operations: Operations
) -> None:
    tomorrow = await given(operations, Verb.START, "RUNS", takes_over=[], wait=True)
    stop = await given(operations, Verb.STOP, "RUNS", takes_over=[])
    await Steering(store, on_due=lambda: None).resume(SHIFT, tomorrow.id, validate_only=False)
    assert await told(store, stop) == {"RUNS": TAKEN}


async def test_an_order_ends_what_waits_to_be_resumed(store: Store, operations: Operations) -> None:
    tomorrow = await given(operations, Verb.START, "STANDS", takes_over=[], wait=True)
    await given(operations, Verb.UNLOAD, "STANDS", takes_over=[tomorrow.name])
    assert await told(store, tomorrow) == {"STANDS": TAKEN}


async def carry_on(store: Store, operation: Operation, *ended: str, wanted: State) -> None:
    """Has an operation come to its end: some units are told what it wants."""
    for id in ended:
        await Resources(store).update(
            SHIFT,
            ControlUnit,
            id,
            etag="*",
            change=lambda unit: replace(unit, desired_state=wanted),
            validate_only=False,
        )
    reached = {"state": "COMPLETED", "minor_state": "Reached"}

    def end(unit: UnitOfWork) -> None:
        steps = steps_of(unit, operation.key)
        positions = [each.position for each in steps if each.id in ended]
        set_steps(unit, operation.key, positions, was=OPEN, **reached)

    await store.transact(end)


async def test_an_order_that_waits_acts_on_what_is_wanted_when_it_is_resumed(
    store: Store, operations: Operations
) -> None:
    older = await given(operations, Verb.UNLOAD, "STANDS", takes_over=[])
    tomorrow = await given(operations, Verb.START, "STANDS", takes_over=[older.name], wait=True)
    await carry_on(store, older, "STANDS", wanted=State.UNLOADED)
    steering = Steering(store, on_due=lambda: None)
    resumed = (await steering.resume(SHIFT, tomorrow.id, validate_only=False)).value

    def begun(unit: UnitOfWork) -> Begun:
        return begin(unit, resumed.key, resumed.order, steps_of(unit, resumed.key))

    begun_now = (await store.transact(begun, caller=SHIFT)).value
    assert begun_now.ended == {}
    unit = (await Resources(store).get(ControlUnit, "STANDS")).value
    assert unit.desired_state is State.RUNNING


async def test_an_order_that_waited_is_refused_where_units_are_not_there_any_more(
    store: Store, operations: Operations
) -> None:
    stop = await given(operations, Verb.STOP, "RUNS", takes_over=[])
    tomorrow = await given(
        operations, Verb.START, "RUNS", "STANDS", takes_over=[stop.name], wait=True
    )
    await carry_on(store, stop, "RUNS", wanted=State.STOPPED)
    steering = Steering(store, on_due=lambda: None)
    for tried in (True, False):
        with pytest.raises(Refused, match=r"PLAN_MOVED.*RUNS is RUNNING, wanted STOPPED.*again"):
            await steering.resume(SHIFT, tomorrow.id, validate_only=tried)
    assert (await operations.get(tomorrow.id)).value.phase is Phase.PENDING
    await steering.abort(SHIFT, tomorrow.id, validate_only=False)


async def change(store: Store, id: str, **fields: object) -> None:
    await Resources(store).update(
        SHIFT,
        ControlUnit,
        id,
        etag="*",
        change=lambda unit: replace(unit, **fields),  # type: ignore[arg-type]
        validate_only=False,
    )


async def refused_when_resumed(store: Store, operation: Operation) -> str:
    steering = Steering(store, on_due=lambda: None)
    said = set()
    for tried in (True, False):
        with pytest.raises(Refused, match="PLAN_MOVED") as refused:
            await steering.resume(SHIFT, operation.id, validate_only=tried)
        said.add(refused.value.message)
    (message,) = said
    return message


async def test_an_order_that_waited_starts_nothing_without_what_that_requires_by_now(
    store: Store, operations: Operations
) -> None:
    tomorrow = await given(operations, Verb.START, "STANDS", takes_over=[], wait=True)
    await change(store, "STANDS", requires=("LACKS",))
    assert "STANDS is blocked: LACKS is STOPPED" in await refused_when_resumed(store, tomorrow)


async def test_an_order_that_waited_tells_of_units_that_have_come_and_gone(
    store: Store, operations: Operations
) -> None:
    wanted = Order(verb=Verb.START, selection=UnitSelection(labels={"part": "arc"}))
    await change(store, "STANDS", labels={"part": "arc"})
    await change(store, "FAILED", labels={"part": "arc"})
    tomorrow = (await operations.create(SHIFT, wanted, Giving(wait=True))).value
    await change(store, "STANDS", labels={})
    message = await refused_when_resumed(store, tomorrow)
    assert "STANDS is not selected any more. Abort" in message
    await change(store, "STANDS", labels={"part": "arc"})
    await change(store, "LACKS", labels={"part": "arc"}, requires=())
    assert "LACKS is selected, too" in await refused_when_resumed(store, tomorrow)


async def test_an_order_that_waited_is_refused_where_a_unit_was_deleted(
    store: Store, operations: Operations
) -> None:
    tomorrow = await given(operations, Verb.UNLOAD, "FAILED", "STANDS", takes_over=[], wait=True)
    await Resources(store).delete(SHIFT, ControlUnit, "STANDS", etag="*", validate_only=False)
    assert "STANDS" in await refused_when_resumed(store, tomorrow)


async def test_an_order_that_waited_goes_by_where_its_units_are_hosted_now(
    store: Store, operations: Operations
) -> None:
    tomorrow = await given(operations, Verb.START, "STANDS", takes_over=[], wait=True)
    await change(store, "STANDS", unit_server="", level=3)
    await Steering(store, on_due=lambda: None).resume(SHIFT, tomorrow.id, validate_only=False)
    (step,) = (await store.read(lambda unit: steps_of(unit, tomorrow.key))).value
    assert (step.unit_server, step.level) == ("", 3)


async def rename(store: Store, id: str, new_id: str) -> None:
    await Renaming(store).rename(SHIFT, id, new_id, etag="*", validate_only=False)


async def test_an_order_that_waited_goes_on_with_units_that_were_renamed(
    store: Store, operations: Operations
) -> None:
    await change(store, "LACKS", requires=("STANDS",))
    tomorrow = await given(
        operations, Verb.START, "LACKS", "RUNS", "STANDS", takes_over=[], wait=True
    )
    await rename(store, "STANDS", "A/STOOD")
    steering = Steering(store, on_due=lambda: None)
    for _ in range(2):  # also once its steps know of it
        await steering.pause(SHIFT, tomorrow.id, validate_only=False)
        resumed = (await steering.resume(SHIFT, tomorrow.id, validate_only=False)).value
        assert resumed.phase is Phase.QUEUED
    steps = (await store.read(lambda unit: steps_of(unit, tomorrow.key))).value
    assert {each.id: (each.requires, each.wave) for each in steps} == {
        "LACKS": (("A/STOOD",), 1),
        "RUNS": ((), -1),
        "A/STOOD": ((), 0),
    }
    assert await beginning(store, tomorrow) == ["A/STOOD"]


async def beginning(store: Store, operation: Operation) -> list[str]:
    """The units whose steps begin when a replica takes the operation up."""

    def work(unit: UnitOfWork) -> Course:
        return Course(get_operation(unit, operation.id), steps_of(unit, operation.key))

    course = (await store.read(work)).value
    return [each.id for each in course.next_to_begin(10, now_us=0)]


async def test_an_order_that_waited_begins_by_the_levels_of_now(
    store: Store, operations: Operations
) -> None:
    tomorrow = await given(operations, Verb.UNLOAD, "FAILED", "STANDS", takes_over=[], wait=True)
    await change(store, "STANDS", level=2)  # of those that go down, the higher ones are first
    await Steering(store, on_due=lambda: None).resume(SHIFT, tomorrow.id, validate_only=False)
    assert await beginning(store, tomorrow) == ["STANDS"]
    steps = (await store.read(lambda unit: steps_of(unit, tomorrow.key))).value
    assert {each.id: each.wave for each in steps} == {"FAILED": 1, "STANDS": 0}


async def test_what_an_order_that_waited_leaves_alone_is_named_as_it_is_now(
    store: Store, operations: Operations
) -> None:
    tomorrow = await given(operations, Verb.START, "RUNS", "STANDS", takes_over=[], wait=True)
    await rename(store, "RUNS", "RAN")
    await rename(store, "STANDS", "RUNS")
    steering = Steering(store, on_due=lambda: None)
    await steering.resume(SHIFT, tomorrow.id, validate_only=False)
    assert await told(store, tomorrow) == {"RAN": ("COMPLETED", "AlreadyThere"), "RUNS": WAITING}
    skipped = await steering.skip(SHIFT, tomorrow.id, ["RUNS"], validate_only=False)
    assert skipped.value.counts.skipped == 1


async def test_an_edit_that_waited_goes_on_with_units_that_were_renamed(
    store: Store, operations: Operations
) -> None:
    own = tuple(UnitEdits(id, (FieldEdit("level", "2"),)) for id in ("RUNS", "STANDS"))
    wanted = Order(verb=Verb.EDIT, unit_edits=own)
    tomorrow = (await operations.create(SHIFT, wanted, Giving(wait=True))).value
    await rename(store, "STANDS", "STOOD")
    steering = Steering(store, on_due=lambda: None)
    resumed = (await steering.resume(SHIFT, tomorrow.id, validate_only=False)).value
    assert resumed.phase is Phase.QUEUED


async def test_an_order_that_waited_is_about_no_unit_that_has_got_the_name_of_another(
    store: Store, operations: Operations
) -> None:
    tomorrow = await given(operations, Verb.START, "STANDS", takes_over=[], wait=True)
    await rename(store, "STANDS", "STOOD")
    await rename(store, "LACKS", "STANDS")
    steering = Steering(store, on_due=lambda: None)
    await steering.resume(SHIFT, tomorrow.id, validate_only=False)
    assert await told(store, tomorrow) == {"STOOD": WAITING}
