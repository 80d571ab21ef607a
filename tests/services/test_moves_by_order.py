"""Orders that edit what a unit refers to: what it comes to refer to is looked up with it."""

from dataclasses import replace

import pytest

from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.operation import Phase, UnitEdits
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.orchestration.step_begin import Begun, begin
from metadata_server.store.orchestration.operation_steps import steps_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.given_orders import LATER, SHIFT, GivenOrders
from tests.services.test_advancing import replica
from tests.services.test_tried_again import begun_now, tried_once
from tests.store.planned import Plan, Unit, build

MOVE = (FieldEdit("unit_server", "unit_servers/B"),)
BEAM = MachineMode(id="MAIN", mode="BEAM", modes=("ACCESS", "BEAM"))


@pytest.fixture
def orders(store: Store) -> GivenOrders:
    units = [
        Unit(id, "A", State.UNSPECIFIED, State.UNSPECIFIED, Contact.NONE) for id in ("U1", "U2")
    ]
    build(store, Plan({"A": None, "B": None, "C": None}, units))
    return GivenOrders(store)


async def servers(orders: GivenOrders) -> dict[str, str]:
    return {id: (await orders.declared(id)).unit_server for id in ("U1", "U2")}


async def test_an_order_moves_units(orders: GivenOrders) -> None:
    move = await orders.given(Verb.EDIT, "U1", "U2", edits=MOVE)
    async with replica(orders.store):
        ended = await orders.reaches(move, Phase.COMPLETED, Phase.ERROR)
    assert ended.phase is Phase.COMPLETED, ended.message
    assert await servers(orders) == {"U1": "B", "U2": "B"}


async def test_a_staged_move_is_made_when_the_mode_allows_it(orders: GivenOrders) -> None:
    await orders.resources.create(LATER, BEAM, validate_only=False)
    guard = Guard(
        id="beam",
        description="stored beam",
        machine_mode="MAIN",
        modes=("BEAM",),
        forbids=(GuardedChange.MOVES,),
    )
    await orders.resources.create(LATER, guard, validate_only=False)
    move = await orders.given(Verb.EDIT, "U1", edits=MOVE, stage=True)
    assert move.phase is Phase.HELD
    async with replica(orders.store):
        await orders.resources.update(
            LATER,
            MachineMode,
            "MAIN",
            etag="*",
            change=lambda machine: replace(machine, mode="ACCESS"),
            validate_only=False,
        )
        ended = await orders.reaches(move, Phase.COMPLETED, Phase.ERROR)
    assert ended.phase is Phase.COMPLETED, ended.message
    assert await servers(orders) == {"U1": "B", "U2": "A"}


async def test_an_order_takes_a_unit_to_another_version(orders: GivenOrders) -> None:
    await orders.resources.update(
        LATER,
        Template,
        "T",
        etag="*",
        change=lambda template: replace(template, implementation="::Second"),
        validate_only=False,
    )
    edit = await orders.given(Verb.EDIT, "U1", edits=(FieldEdit("template_version", "2"), *MOVE))
    async with replica(orders.store):
        ended = await orders.reaches(edit, Phase.COMPLETED, Phase.ERROR)
    assert ended.phase is Phase.COMPLETED, ended.message
    unit = await orders.declared("U1")
    assert (unit.template_version, unit.unit_server) == (2, "B")


async def test_a_move_is_not_tried_again_where_others_have_moved_the_unit(
    orders: GivenOrders,
) -> None:
    move = await orders.given(Verb.EDIT, "U1", most_attempts=3, edits=MOVE)
    await tried_once(orders, move)
    await orders.change("U1", unit_server="C")
    ended = (await begun_now(orders, move)).ended[0]
    assert (ended.state, ended.minor_state) == ("ABORTED", "Superseded")
    assert ended.message == "later has told it otherwise: what it edits has been changed since"
    assert await servers(orders) == {"U1": "C", "U2": "A"}


async def test_a_server_that_has_gone_since_is_named_as_what_is_missing(
    orders: GivenOrders,
) -> None:
    move = await orders.given(Verb.EDIT, "U1", edits=MOVE)
    await orders.resources.delete(LATER, UnitServer, "B", etag="*", validate_only=False)
    ended = (await begun_now(orders, move)).ended[0]
    assert (ended.state, ended.minor_state) == ("ERROR", "Refused")
    assert "unit_servers/B" in ended.message


async def test_a_step_whose_edit_cannot_be_applied_is_refused_alone(orders: GivenOrders) -> None:
    own = (UnitEdits("U1", MOVE), UnitEdits("U2", MOVE))
    move = await orders.given(Verb.EDIT, unit_edits=own)

    def work(unit: UnitOfWork) -> Begun:
        first, second = steps_of(unit, move.key)
        # As a later release has planned it.
        unknown = replace(first, edits=(FieldEdit("colour", "red"),))
        return begin(unit, move.key, move.order, [unknown, second])

    begun = (await orders.store.transact(work, caller=SHIFT)).value
    (refused,) = begun.ended.values()
    assert (refused.state, refused.minor_state) == ("ERROR", "Refused")
    assert "colour" in refused.message
    assert [each.id for each in begun.under_way] == ["U2"]
    assert await servers(orders) == {"U1": "A", "U2": "B"}
