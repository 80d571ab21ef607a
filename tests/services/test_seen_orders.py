"""An order is held to the plan that was seen of it."""

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.operation import Operation, Order, UnitEdits
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused
from metadata_server.services.orchestration.operations import Giving, Operations
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
