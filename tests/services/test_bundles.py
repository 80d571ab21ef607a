"""Bundles: all or nothing, all problems at once, and what is in them comes out again."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applied, Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.store.store import Store
from tests.services.exported import exported_by

Call = Callable[..., Caller]
CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"maximum": "10"})
TEMPLATE = Template(id="Supply", implementation="::Supply", attributes=(CURRENT,))
SERVER = UnitServer(id="US")


def unit(id: str, maximum: str = "5") -> ControlUnit:
    override = AttributeOverride("current", {"maximum": maximum})
    return ControlUnit(id=id, template="Supply", unit_server="US", overrides=(override,))


@pytest.fixture
def bundles(store: Store) -> Bundles:
    return Bundles(store)


def items(*resources: Resource) -> list[Item]:
    return [
        Item(f"line[{number}]", resource.name, resource)
        for number, resource in enumerate(resources)
    ]


async def apply(bundles: Bundles, caller: Caller, *resources: Resource, **how: object) -> Applied:
    applying = replace(Applying(), **how)  # type: ignore[arg-type]
    return (await bundles.apply(caller, items(*resources), applying, ApplyProgress())).value


def actions(decisions: Sequence[Decision]) -> list[ItemAction]:
    return [decision.action for decision in decisions]


async def everything(bundles: Bundles) -> Sequence[Resource]:
    return await exported_by(bundles)


async def test_a_bundle_in_any_order_is_one_change(bundles: Bundles, call: Call) -> None:
    answer = await bundles.apply(
        call(), items(unit("A/1"), SERVER, TEMPLATE), Applying(), ApplyProgress()
    )
    assert answer.value.summary.applied
    assert answer.position.revision == 1
    assert [found.name for found in await everything(bundles)] == [
        "templates/Supply",
        "unit_servers/US",
        "control_units/A/1",
    ]


async def test_the_same_bundle_again_changes_nothing(bundles: Bundles, call: Call) -> None:
    await apply(bundles, call(), TEMPLATE, SERVER, unit("A/1"))
    again = await bundles.apply(
        call(), items(TEMPLATE, SERVER, unit("A/1")), Applying(), ApplyProgress()
    )
    assert set(actions(again.value.decisions)) == {ItemAction.UNCHANGED}
    assert again.position.revision == 1


async def test_one_problem_stops_the_whole_bundle_and_all_problems_are_told(
    bundles: Bundles, call: Call
) -> None:
    applied = await apply(
        bundles,
        call(),
        TEMPLATE,
        SERVER,
        unit("A/1", "x"),
        unit("A/2"),
        unit("bad id"),
        unit("A/2"),
    )
    assert not applied.summary.applied
    assert await everything(bundles) == []
    problems = {
        decision.item.source: [problem.field for problem in decision.problems]
        for decision in applied.decisions
        if decision.problems
    }
    assert problems == {
        "line[2]": ["overrides[0].maximum"],
        "line[4]": ["name"],
        "line[5]": ["name"],
    }
    (twice,) = applied.decisions[5].problems
    assert "line[3]" in twice.expected


async def test_the_rest_can_be_taken_without_what_is_invalid(bundles: Bundles, call: Call) -> None:
    bad_server = UnitServer(id="no good")
    lost = replace(unit("A/2"), unit_server="no good")
    applied = await apply(
        bundles, call(), TEMPLATE, SERVER, unit("A/1"), bad_server, lost, skip_invalid=True
    )
    assert applied.summary.applied
    assert actions(applied.decisions)[2:] == [
        ItemAction.CREATED,
        ItemAction.REJECTED,
        ItemAction.REJECTED,
    ]
    assert [found.id for found in await everything(bundles)] == ["Supply", "US", "A/1"]


@pytest.mark.parametrize(
    ("policy", "action", "maximum"),
    [
        (OnConflict.FAIL, ItemAction.REJECTED, "5"),
        (OnConflict.SKIP, ItemAction.SKIPPED, "5"),
        (OnConflict.REPLACE, ItemAction.CHANGED, "7"),
    ],
)
async def test_what_is_there_and_differs_goes_by_the_policy(
    bundles: Bundles, call: Call, policy: OnConflict, action: ItemAction, maximum: str
) -> None:
    await apply(bundles, call(), TEMPLATE, SERVER, unit("A/1"))
    applied = await apply(bundles, call(), unit("A/1", "7"), on_conflict=policy)
    (decision,) = applied.decisions
    assert decision.action is action
    found = (await everything(bundles))[-1]
    assert isinstance(found, ControlUnit)
    assert found.overrides[0].facets["maximum"] == maximum


async def test_a_trial_decides_everything_and_writes_nothing(bundles: Bundles, call: Call) -> None:
    applied = await apply(bundles, call(), TEMPLATE, SERVER, unit("A/1"), validate_only=True)
    assert set(actions(applied.decisions)) == {ItemAction.CREATED}
    assert not applied.summary.applied
    assert await everything(bundles) == []


async def test_a_template_that_differs_gets_its_next_version(bundles: Bundles, call: Call) -> None:
    await apply(bundles, call(), TEMPLATE, SERVER, unit("A/1"))
    wider = replace(TEMPLATE, attributes=(replace(CURRENT, facets={"maximum": "20"}),))
    await apply(bundles, call(), wider, unit("A/2", "15"), on_conflict=OnConflict.REPLACE)
    found = await everything(bundles)
    assert [(t.id, t.version) for t in found if isinstance(t, Template)] == [
        ("Supply", 1),
        ("Supply", 2),
    ]
    assert [(u.id, u.template_version) for u in found if isinstance(u, ControlUnit)] == [
        ("A/1", 1),
        ("A/2", 2),
    ]


async def test_a_published_version_is_never_changed(bundles: Bundles, call: Call) -> None:
    await apply(bundles, call(), TEMPLATE)
    other = replace(TEMPLATE, version=1, description="other")
    applied = await apply(bundles, call(), other, on_conflict=OnConflict.REPLACE)
    (decision,) = applied.decisions
    assert [problem.field for problem in decision.problems] == ["version"]


async def test_an_export_goes_into_an_empty_store_and_comes_out_the_same(
    bundles: Bundles, call: Call, store: Store
) -> None:
    await apply(bundles, call(), TEMPLATE, SERVER, unit("A/1"), Agent(id="a"))
    wider = replace(TEMPLATE, attributes=(replace(CURRENT, facets={"maximum": "20"}),))
    await apply(bundles, call(), wider, unit("A/2", "15"), on_conflict=OnConflict.REPLACE)
    exported = await everything(bundles)
    for resource in reversed(exported):
        if not isinstance(resource, Template):
            await delete(store, call(), resource)
    await delete(store, call(), exported[0])
    assert await everything(bundles) == []
    await apply(bundles, call(), *exported)
    assert await everything(bundles) == exported


async def delete(store: Store, caller: Caller, resource: Resource) -> None:
    await store.transact(
        lambda unit: unit.delete(unit.resources.get(type(resource), resource.id, lock=True)),
        caller=caller,
    )


async def test_a_repeated_bundle_gets_the_first_summary(bundles: Bundles, call: Call) -> None:
    once = call(request_id="r", payload_hash="h")
    first = await bundles.apply(once, items(TEMPLATE, SERVER), Applying(), ApplyProgress())
    again = await bundles.apply(once, items(TEMPLATE, SERVER), Applying(), ApplyProgress())
    assert again.value.summary == first.value.summary
    assert again.position.revision == first.position.revision == 1


async def test_a_bundle_that_did_nothing_is_decided_anew_when_it_comes_again(
    bundles: Bundles, call: Call
) -> None:
    once = call(request_id="r", payload_hash="h")
    first = await bundles.apply(once, items(SERVER, SERVER), Applying(), ApplyProgress())
    assert not first.value.summary.applied
    again = await bundles.apply(once, items(SERVER, SERVER), Applying(), ApplyProgress())
    assert again.value.summary == first.value.summary
    assert again.value.decisions == first.value.decisions
    mended = call(request_id="r", payload_hash="another")
    done = await bundles.apply(mended, items(SERVER), Applying(), ApplyProgress())
    assert done.value.summary.applied


async def test_a_repeated_bundle_gets_the_position_of_the_first_though_others_wrote_since(
    bundles: Bundles, call: Call
) -> None:
    """Whoever undoes what they applied would undo what others did."""
    once = call(request_id="r", payload_hash="h")
    first = await bundles.apply(once, items(TEMPLATE), Applying(), ApplyProgress())
    await bundles.apply(call(), items(SERVER), Applying(), ApplyProgress())
    again = await bundles.apply(once, items(TEMPLATE), Applying(), ApplyProgress())
    assert again.position == first.position
