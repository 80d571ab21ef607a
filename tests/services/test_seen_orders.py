"""An order is held to the plan that was seen of it."""

from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation, Order, UnitEdits
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.supersession import OPEN
from metadata_server.store.orchestration.operation_steps import set_steps
from metadata_server.store.store import Store
from tests.store.planned import Plan, Unit, build

SHIFT = Caller(principal=Principal("shift"), method="Operations.CreateOperation")
PLAN = Plan(
    {"US": Contact.ALIVE},
    [Unit(id, "US", State.RUNNING, State.RUNNING, Contact.ALIVE) for id in ("A", "B", "C", "D")],
)


@pytest.fixture
async def operations(store: Store) -> Operations:
    """Orders to units that run."""
    build(store, PLAN)
    return Operations(store, on_due=lambda: None)


def writing(**levels: str | None) -> Order:
    edits = [UnitEdits(id, (FieldEdit("level", value),)) for id, value in levels.items()]
    return Order(verb=Verb.EDIT, unit_edits=tuple(edits))


def order(verb: Verb, *units: str) -> Order:
    return Order(verb=verb, selection=UnitSelection(ids=units), even_so=True)


async def seen(operations: Operations, wanted: Order) -> str:
    return (await operations.plan(wanted)).value.digest


async def given(operations: Operations, wanted: Order, plan: str = "") -> Operation:
    return (await operations.create(SHIFT, wanted, Giving(seen_plan=plan))).value


@pytest.mark.parametrize(
    "other",
    [writing(A="2", B="8"), writing(A="2", B=None)],
    ids=["another value", "cleared"],
)
async def test_other_edits_of_the_same_units_are_another_plan(
    operations: Operations, other: Order
) -> None:
    plan = await seen(operations, writing(A="2", B="3"))
    with pytest.raises(Refused, match="PLAN_MOVED"):
        await given(operations, other, plan)
    assert await given(operations, writing(B="3", A="2"), plan), "told in another order"


async def test_an_edit_of_all_is_another_plan_than_one_to_something_else(
    operations: Operations,
) -> None:
    selection = UnitSelection(ids=("A", "B"))
    low, high = (
        Order(verb=Verb.EDIT, selection=selection, edits=(FieldEdit("level", value),))
        for value in "12"
    )
    plan = await seen(operations, low)
    with pytest.raises(Refused, match="PLAN_MOVED"):
        await given(operations, high, plan)
    await given(operations, low, plan)


async def comes_to_require(store: Store, id: str, needed: str) -> None:
    await Resources(store).update(
        SHIFT,
        ControlUnit,
        id,
        etag="*",
        change=lambda unit: replace(unit, requires=(needed,)),
        validate_only=False,
    )


async def test_who_would_be_left_without_what_they_require_was_seen(
    store: Store, operations: Operations
) -> None:
    stop = order(Verb.STOP, "A")
    plan = await seen(operations, stop)
    await comes_to_require(store, "D", "A")
    with pytest.raises(Refused, match=r"PLAN_MOVED.*without what they require"):
        await given(operations, stop, plan)
    plan = await seen(operations, stop)
    await comes_to_require(store, "C", "D")
    with pytest.raises(Refused, match="PLAN_MOVED"):
        await given(operations, stop, plan)
    await given(operations, stop, await seen(operations, stop))


async def test_what_an_order_ends_of_others_was_seen(store: Store, operations: Operations) -> None:
    stop = order(Verb.STOP, "A", "B")
    plan = await seen(operations, stop)
    theirs = await given(operations, order(Verb.DEINIT, "B", "C"))
    with pytest.raises(Refused, match=r"PLAN_MOVED.*other operations"):
        await given(operations, stop, plan)
    planned = (await operations.plan(stop)).value
    assert list(planned.supersedes) == [theirs.name]
    await given(operations, stop, planned.digest)


async def test_how_far_others_have_come_makes_no_other_plan(
    store: Store, operations: Operations
) -> None:
    await comes_to_require(store, "C", "A")
    await comes_to_require(store, "D", "A")
    theirs = await given(operations, order(Verb.DEINIT, "A", "B"))
    stop = order(Verb.STOP, "A", "B")
    plan = await seen(operations, stop)

    def go_on(state: StepState, *positions: int) -> None:
        store.transact_now(
            lambda unit: set_steps(unit, theirs.key, positions, was=OPEN, state=state.value)
        )

    go_on(StepState.EXECUTING, 0, 1)
    assert await seen(operations, stop) == plan
    go_on(StepState.COMPLETED, 0)
    assert await seen(operations, stop) == plan
    await given(operations, stop, plan)
