"""Edits of many units: one change set, checked as everything is, told before it is done."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.bundle import ItemAction, SeenPlan
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.part_checks import LARGEST_COUNT
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.edits import Editing, Edits
from metadata_server.services.intent.plans import Applied, Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.resources import Resources
from metadata_server.store.store import Answer, Store

Call = Callable[..., Caller]
CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"maximum": "100"})
FACILITY: tuple[Resource, ...] = (
    Template(id="Supply", implementation="::Supply", attributes=(CURRENT,)),
    Template(id="Other", implementation="::Other"),
    UnitServer(id="US"),
    UnitServer(id="US2"),
)
UNITS = (
    ControlUnit(id="A/1", template="Supply", unit_server="US", labels={"group": "one"}),
    ControlUnit(id="A/2", template="Supply", unit_server="US2", desired_state=State.LOADED),
    ControlUnit(id="A/3", template="Other", unit_server="US"),
    ControlUnit(id="B/1", template="Supply", labels={"group": "one", "old": "yes"}),
)
MAXIMUM = FieldEdit("overrides[current].maximum", "0x3C")


@pytest.fixture
async def edits(store: Store, call: Call) -> Edits:
    resources = Resources(store)
    for each in (*FACILITY, *UNITS):
        await resources.create(call(), each, validate_only=False)
    return Edits(store)


async def answer(
    edits: Edits, caller: Caller, selection: UnitSelection, *wanted: FieldEdit, **how: Any
) -> Answer[Applied]:
    applying = replace(Applying(), **how)
    return await edits.edit(caller, Editing(selection, wanted), applying, ApplyProgress())


async def units(store: Store) -> dict[str, ControlUnit]:
    found = (await store.read(lambda unit: unit.resources.where(ControlUnit))).value
    return {each.id: each for each in found}


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (UnitSelection(), ["A/1", "A/2", "A/3", "B/1"]),
        (UnitSelection(ids=("B/1", "A/1")), ["A/1", "B/1"]),
        (UnitSelection(id_prefix="A/", template="Supply"), ["A/1", "A/2"]),
        (UnitSelection(zone="B"), ["B/1"]),
        (UnitSelection(unit_server="US"), ["A/1", "A/3"]),
        (UnitSelection(labels={"group": "one"}), ["A/1", "B/1"]),
        (UnitSelection(labels={"group": "one", "old": "yes"}), ["B/1"]),
        (UnitSelection(ids=("A/1",), zone="B"), []),
        (UnitSelection(template="None"), []),
        (UnitSelection(id_prefix="Ä"), []),
        (UnitSelection(state=State.RUNNING), []),
        (UnitSelection(ids=("A/2",), id_prefixes=("B/", "A/2")), ["A/2", "B/1"]),
        (UnitSelection(ids=("A/1",), id_prefixes=("B/",), unit_server="US"), ["A/1"]),
        (UnitSelection(id_prefixes=("", "Ä")), []),
        (UnitSelection(desired_states=frozenset({State.LOADED, State.RUNNING})), ["A/2"]),
        (UnitSelection(zone="A", desired_states=frozenset({State.UNSPECIFIED})), ["A/1", "A/3"]),
    ],
)
async def test_a_selection_is_what_passes_everything(
    edits: Edits, call: Call, store: Store, selection: UnitSelection, ids: list[str]
) -> None:
    before = await store.read(lambda _: None)
    edited = await answer(edits, call(), selection, FieldEdit("description", "new"))
    assert [decision.item.name for decision in edited.value.decisions] == [
        f"control_units/{id}" for id in ids
    ]
    assert [id for id, each in (await units(store)).items() if each.description == "new"] == ids
    assert edited.position.revision == before.position.revision + bool(ids)


async def test_values_keep_their_spelling(edits: Edits, call: Call, store: Store) -> None:
    await answer(edits, call(), UnitSelection(zone="A", template="Supply"), MAXIMUM)
    found = (await units(store))["A/2"]
    assert found.overrides == (AttributeOverride("current", {"maximum": "0x3C"}),)


async def test_what_a_unit_cannot_take_is_a_problem_of_that_unit(
    edits: Edits, call: Call, store: Store
) -> None:
    selection = UnitSelection(ids=("A/1", "A/3", "A/9"))
    wrong = FieldEdit("unit_server", "US9")
    told = (await answer(edits, call(), selection, MAXIMUM, wrong)).value
    assert not told.summary.applied
    problems = {d.item.name: [(p.field, p.reason) for p in d.problems] for d in told.decisions}
    nowhere = ("unit_server", "UNIT_SERVER_NOT_FOUND")
    assert problems == {
        "control_units/A/1": [nowhere],
        "control_units/A/3": [nowhere],
        "control_units/A/9": [("name", "CONTROL_UNIT_NOT_FOUND")],
    }
    assert (await units(store))["A/1"].meta.generation == 1


async def test_the_message_is_that_of_a_single_write(
    edits: Edits, call: Call, store: Store
) -> None:
    bad = FieldEdit("overrides[current].maximum", "high")
    told = (await answer(edits, call(), UnitSelection(ids=("A/1",)), bad)).value
    override = AttributeOverride("current", {"maximum": "high"})
    with pytest.raises(Refused) as refused:
        await Resources(store).update(
            call(),
            ControlUnit,
            "A/1",
            etag="*",
            change=lambda unit: replace(unit, overrides=(override,)),
            validate_only=False,
        )
    assert told.decisions[0].problems == refused.value.fields


async def test_units_with_problems_can_be_left_out(edits: Edits, call: Call, store: Store) -> None:
    selection = UnitSelection(ids=("A/1", "A/9"))
    told = (await answer(edits, call(), selection, MAXIMUM, skip_invalid=True)).value
    assert told.summary.applied
    assert told.summary.counts == {ItemAction.CHANGED: 1, ItemAction.REJECTED: 1}
    assert (await units(store))["A/1"].overrides


async def test_the_same_edit_again_changes_nothing(edits: Edits, call: Call) -> None:
    first = await answer(edits, call(), UnitSelection(zone="B"), MAXIMUM)
    again = await answer(edits, call(), UnitSelection(zone="B"), MAXIMUM)
    assert again.value.summary.counts == {ItemAction.UNCHANGED: 1}
    assert again.position == first.position


async def test_an_edit_that_was_seen_is_refused_when_a_unit_has_come(
    edits: Edits, call: Call, store: Store
) -> None:
    tried = await answer(edits, call(), UnitSelection(zone="B"), MAXIMUM, validate_only=True)
    seen = SeenPlan(tried.position, tried.value.summary.plan)
    assert not (await units(store))["B/1"].overrides
    another = ControlUnit(id="B/2", template="Supply")
    await Resources(store).create(call(), another, validate_only=False)
    with pytest.raises(Refused, match=r"PLAN_MOVED.*control_units/B/2"):
        await answer(edits, call(), UnitSelection(zone="B"), MAXIMUM, seen=seen)


async def test_an_order_to_recover_is_one_more_for_each_unit(
    edits: Edits, call: Call, store: Store
) -> None:
    recover = FieldEdit("recover_count", "+1")
    await answer(edits, call(), UnitSelection(ids=("A/1",)), recover)
    told = (await answer(edits, call(), UnitSelection(zone="A"), recover)).value
    assert told.summary.counts == {ItemAction.CHANGED: 3}
    counts = {id: each.recover_count for id, each in (await units(store)).items()}
    assert counts == {"A/1": 2, "A/2": 1, "A/3": 1, "B/1": 0}


async def test_orders_to_recover_at_once_are_all_counted(
    edits: Edits, call: Call, store: Store
) -> None:
    recover = FieldEdit("recover_count", "+1")
    await asyncio.gather(*(answer(edits, call(), UnitSelection(), recover) for _ in range(5)))
    assert {each.recover_count for each in (await units(store)).values()} == {5}


@pytest.mark.parametrize("value", ["7", "-1", None])
async def test_orders_to_recover_are_only_counted_on(
    edits: Edits, call: Call, value: str | None
) -> None:
    with pytest.raises(Refused, match=r"INVALID_FIELD") as refused:
        await answer(edits, call(), UnitSelection(), FieldEdit("recover_count", value))
    assert "+1" in refused.value.fields[0].expected


async def test_edits_of_two_people_at_once_are_both_there(
    edits: Edits, call: Call, store: Store
) -> None:
    """Each edit reads its units before it locks them: none may write over what came between."""
    many = [
        answer(edits, call(), UnitSelection(), FieldEdit(f"properties[{number}]", "1"))
        for number in range(8)
    ]
    await asyncio.gather(*many)
    for each in (await units(store)).values():
        assert {str(number) for number in range(8)} == each.properties.keys()


async def test_a_unit_with_as_many_orders_to_recover_as_there_can_be_gets_no_more(
    edits: Edits, store: Store, call: Call
) -> None:
    most = replace(UNITS[0], id="A/9", recover_count=LARGEST_COUNT)
    await Resources(store).create(call(), most, validate_only=False)
    one_more = FieldEdit("recover_count", "+1")
    told = (await answer(edits, call(), UnitSelection(ids=("A/9",)), one_more)).value
    (problem,) = told.decisions[0].problems
    assert (problem.field, problem.value) == ("recover_count", str(LARGEST_COUNT + 1))
    assert (await units(store))["A/9"].recover_count == LARGEST_COUNT
