"""Rebases: what another version of a template means for each unit, and that just this is done."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.difference import FieldDifference
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    Parameter,
    ValueType,
)
from metadata_server.domain.intent.bundle import Item, ItemAction, OnConflict, SeenPlan
from metadata_server.domain.intent.configuration import effective
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.rebase import RebaseOutcome, UnitRebase
from metadata_server.domain.intent.template import Relation, Requirement, Template, VersionState
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.rebase import Rebased, Rebases, Target
from metadata_server.services.intent.resources import Resources
from metadata_server.services.intent.versioning import Versioning
from metadata_server.services.life.configurations import Configurations
from metadata_server.store.store import Answer, Store
from tests.services.exported import exported_by

Call = Callable[..., Caller]
D = FieldDifference
CURRENT = Attribute(
    "current",
    Direction.INPUT,
    ValueType.DOUBLE,
    facets={"default_value": "0", "minimum": "0", "maximum": "10"},
)
RAMP = Attribute("ramp", Direction.INPUT, ValueType.DOUBLE, facets={"default_value": "1"})
SUPPLY = Template(
    id="Supply",
    implementation="::Supply",
    drivers=(Driver("Serial", "1", "9600"),),
    parameters=(
        Parameter("period", ValueType.UINT32, facets={"default_value": "1000"}),
        Parameter("slot", ValueType.INT8),
    ),
    attributes=(CURRENT, RAMP),
)


def override(attribute: str, **facets: str) -> AttributeOverride:
    return AttributeOverride(attribute, facets)


def unit(id: str, *overrides: AttributeOverride, **fields: object) -> ControlUnit:
    return ControlUnit(
        id=id,
        template="Supply",
        unit_server="US",
        overrides=overrides,
        **fields,  # type: ignore[arg-type]
    )


class Plant:
    """The services of one store, with units of one template."""

    def __init__(self, store: Store, call: Call) -> None:
        self.store, self.call = store, call
        self.resources = Resources(store)
        self.bundles = Bundles(store)
        self.versioning = Versioning(store)
        self.rebases = Rebases(store, Configurations())

    async def apply(self, *resources: Resource) -> None:
        items = [Item("", each.name, each) for each in resources]
        how = Applying(on_conflict=OnConflict.REPLACE)
        answer = await self.bundles.apply(self.call(), items, how, ApplyProgress())
        assert answer.value.summary.applied, answer.value.decisions

    async def rebase(
        self, caller: Caller | None = None, *, how: Applying | None = None, **target: Any
    ) -> Answer[Rebased]:
        wanted = Target(template="Supply", **target)
        return await self.rebases.rebase(
            caller or self.call(), wanted, how or Applying(), ApplyProgress()
        )

    async def plan(self, **target: Any) -> Answer[Rebased]:
        return await self.rebase(how=Applying(validate_only=True), **target)

    async def versions(self) -> dict[str, int]:
        exported = await exported_by(self.bundles)
        return {
            each.id: each.template_version for each in exported if isinstance(each, ControlUnit)
        }

    async def unit(self, id: str) -> ControlUnit:
        return (await self.resources.get(ControlUnit, id)).value


@pytest.fixture
async def plant(store: Store, call: Call) -> Plant:
    plant = Plant(store, call)
    await plant.apply(SUPPLY, UnitServer(id="US"))
    return plant


def by_id(units: Sequence[UnitRebase]) -> dict[str, UnitRebase]:
    return {each.id: each for each in units}


def outcomes(units: Sequence[UnitRebase]) -> dict[str, str]:
    return {each.id: each.outcome.value for each in units}


NEXT = replace(
    SUPPLY,
    attributes=(replace(CURRENT, facets={**CURRENT.facets, "maximum": "8"}), RAMP),
)


async def test_each_unit_is_told_what_it_means_for_it(plant: Plant) -> None:
    await plant.apply(
        unit("A/plain"),
        unit("A/own", override("current", maximum="5")),
        unit("A/conflict", override("current", default_value="9")),
    )
    await plant.apply(NEXT)
    answer = await plant.plan()
    assert outcomes(answer.value.units) == {
        "A/conflict": "CONFLICT",
        "A/own": "UNAFFECTED",
        "A/plain": "CHANGED_DEFAULT",
    }
    told = by_id(answer.value.units)
    assert told["A/plain"].differences == (D("attributes[current].maximum", "10", "8"),)
    assert told["A/own"].differences == ()
    (rejected,) = [d for d in answer.value.applied.decisions if d.problems]
    assert rejected.item.name == "control_units/A/conflict"
    assert [each.reason for each in rejected.problems] == ["OVERRIDE_OUT_OF_RANGE"]
    assert not answer.value.applied.summary.applied
    assert set((await plant.versions()).values()) == {1}


async def test_what_is_gone_and_what_is_new_is_told(plant: Plant) -> None:
    await plant.apply(unit("A/plain"), unit("A/ramp", override("ramp", default_value="2")))
    tune = Attribute("tune", Direction.INPUT, ValueType.INT32, facets={"default_value": "7"})
    await plant.apply(
        replace(SUPPLY, attributes=(CURRENT, tune), parameters=SUPPLY.parameters[1:], drivers=())
    )
    told = by_id((await plant.plan()).value.units)
    assert told["A/plain"].outcome is RebaseOutcome.REMOVED_PARAMETER
    assert told["A/plain"].differences == (
        D("attributes[ramp].default_value", "1", None),
        D("attributes[ramp].direction", "INPUT", None),
        D("attributes[ramp].type", "DOUBLE", None),
        D("attributes[tune].default_value", None, "7"),
        D("attributes[tune].direction", None, "INPUT"),
        D("attributes[tune].type", None, "INT32"),
        D("drivers[Serial].init_parameter", "9600", None),
        D("drivers[Serial].version", "1", None),
        D("parameters[period]", "1000", None),
    )
    assert told["A/ramp"].outcome is RebaseOutcome.CONFLICT


async def test_all_chosen_units_move_in_one_change_set(plant: Plant) -> None:
    await plant.apply(unit("A/1"), unit("A/2"), unit("B/1"))
    await plant.apply(NEXT)
    before = (await plant.unit("A/1")).meta.revision
    answer = await plant.rebase(selection=UnitSelection(id_prefix="A/"))
    assert answer.value.applied.summary.applied
    assert await plant.versions() == {"A/1": 2, "A/2": 2, "B/1": 1}
    assert answer.position.revision > before
    assert {(await plant.unit(id)).meta.revision for id in ("A/1", "A/2")} == {
        answer.position.revision
    }
    again = await plant.rebase(selection=UnitSelection(id_prefix="A/"))
    assert again.value.units == []
    assert again.position == answer.position


async def test_without_leave_nothing_moves_where_one_unit_has_a_problem(plant: Plant) -> None:
    await plant.apply(unit("A/1"), unit("A/2", override("current", default_value="9")))
    await plant.apply(NEXT)
    refused = await plant.rebase()
    assert not refused.value.applied.summary.applied
    assert set((await plant.versions()).values()) == {1}
    skipping = await plant.rebase(how=Applying(skip_invalid=True))
    assert skipping.value.applied.summary.counts == {ItemAction.CHANGED: 1, ItemAction.REJECTED: 1}
    assert await plant.versions() == {"A/1": 2, "A/2": 1}


async def test_what_stands_against_the_version_can_be_dropped(plant: Plant) -> None:
    await plant.apply(
        unit(
            "A/1",
            override("current", default_value="9", unit="mA"),
            override("ramp", default_value="2"),
            drivers=(Driver("Serial", "", "4800"),),
            parameters={"slot": "3", "period": "20"},
        )
    )
    await plant.apply(
        replace(
            NEXT,
            attributes=NEXT.attributes[:1],
            parameters=SUPPLY.parameters[1:],
            drivers=(Driver("Ethernet", "1", "10.0.0.1"),),
        )
    )
    answer = await plant.rebase(drop_conflicting=True)
    (told,) = answer.value.units
    assert told.outcome is RebaseOutcome.CONFLICT
    assert told.dropped == (
        "overrides[current].default_value",
        "overrides[ramp]",
        "drivers[Serial]",
        "parameters[period]",
    )
    assert D("attributes[current].default_value", "9", "0") in told.differences
    assert D("drivers[Ethernet].init_parameter", None, "10.0.0.1") in told.differences
    assert D("parameters[period]", "20", None) in told.differences
    moved = await plant.unit("A/1")
    assert moved.overrides == (override("current", unit="mA"),)
    assert moved.parameters == {"slot": "3"}
    assert moved.drivers == ()


async def test_a_requirement_of_the_version_is_a_conflict(plant: Plant) -> None:
    await plant.apply(unit("A/1", override("current", maximum="0x9")), unit("A/2"))
    limit = Requirement("current.maximum", Relation.AT_MOST, "8.5")
    await plant.apply(replace(NEXT, requirements=(limit,)))
    answer = await plant.plan()
    assert outcomes(answer.value.units) == {"A/1": "CONFLICT", "A/2": "CHANGED_DEFAULT"}
    dropped = await plant.plan(drop_conflicting=True)
    assert by_id(dropped.value.units)["A/1"].dropped == ("overrides[current]",)


async def test_units_go_back_to_an_older_version(plant: Plant) -> None:
    await plant.apply(unit("A/1"))
    await plant.apply(NEXT)
    await plant.rebase()
    answer = await plant.rebase(version=1)
    (told,) = answer.value.units
    assert told.differences == (D("attributes[current].maximum", "8", "10"),)
    assert await plant.versions() == {"A/1": 1}


async def test_just_the_plan_that_was_seen_is_done(plant: Plant) -> None:
    await plant.apply(unit("A/1"), unit("A/2"))
    await plant.apply(NEXT)
    planned = await plant.plan()
    seen = SeenPlan(planned.position, planned.value.applied.summary.plan)
    await plant.apply(unit("A/2", override("current", maximum="3"), template_version=1))
    with pytest.raises(Refused, match=r"PLAN_MOVED.*A/2"):
        await plant.rebase(how=Applying(seen=seen))
    assert set((await plant.versions()).values()) == {1}
    planned = await plant.plan()
    seen = SeenPlan(planned.position, planned.value.applied.summary.plan)
    assert (await plant.rebase(how=Applying(seen=seen))).value.applied.summary.applied
    assert set((await plant.versions()).values()) == {2}


async def test_a_plan_says_what_the_configurations_come_to(plant: Plant) -> None:
    own = unit(
        "A/1", override("current", default_value="1", offset="0.5"), parameters={"slot": "1"}
    )
    await plant.apply(own)
    wide = replace(CURRENT, facets={"default_value": "2", "minimum": "-1", "unit": "A"})
    await plant.apply(replace(SUPPLY, attributes=(wide, RAMP), drivers=(Driver("Serial", "2"),)))
    planned = (await plant.rebase()).value.units[0].differences
    old = replace(SUPPLY, version=1)
    new = (await plant.resources.get(Template, "Supply")).value
    before, after = effective(None, old, own), effective(None, new, own)
    current = [each.attributes[0].facets for each in (before, after)]
    expected = {
        f"attributes[current].{name}": (current[0].get(name), current[1].get(name))
        for name in current[0].keys() | current[1].keys()
        if current[0].get(name) != current[1].get(name)
    }
    told = {each.path: (each.before, each.after) for each in planned}
    assert expected.items() <= told.items()
    assert {path: told[path] for path in told.keys() - expected.keys()} == {
        "drivers[Serial].init_parameter": ("9600", None),
        "drivers[Serial].version": ("1", "2"),
    }


@pytest.mark.parametrize(
    ("version", "reason"), [(3, "STILL_A_DRAFT"), (1, "VERSION_DEPRECATED"), (9, "NOT_FOUND")]
)
async def test_units_only_move_to_what_is_published(
    plant: Plant, version: int, reason: str
) -> None:
    await plant.apply(NEXT)
    await plant.apply(unit("A/1"))
    draft = replace(SUPPLY, version=3, version_state=VersionState.DRAFT, description="next")
    await plant.apply(draft)
    await plant.versioning.deprecate(plant.call(), "Supply", 1, etag="*", validate_only=False)
    with pytest.raises(Refused, match=reason):
        await plant.rebase(version=version)


async def test_a_name_that_no_unit_has_is_a_problem(plant: Plant) -> None:
    await plant.apply(unit("A/1"))
    await plant.apply(NEXT)
    answer = await plant.rebase(selection=UnitSelection(ids=("A/1", "A/none")))
    assert not answer.value.applied.summary.applied
    problems = [each for d in answer.value.applied.decisions for each in d.problems]
    assert [(each.value, each.reason) for each in problems] == [
        ("control_units/A/none", "CONTROL_UNIT_NOT_FOUND")
    ]


async def test_a_repeated_rebase_gets_the_first_answer(plant: Plant) -> None:
    await plant.apply(unit("A/1"))
    await plant.apply(NEXT)
    once = plant.call(request_id="r", payload_hash="h")
    first = await plant.rebase(once)
    again = await plant.rebase(once)
    assert again.value.applied.summary == first.value.applied.summary
    assert again.position == first.position


async def test_what_others_changed_last_is_counted(plant: Plant) -> None:
    await plant.apply(unit("A/1"))
    await plant.apply(NEXT)
    somebody = replace(plant.call(), principal=Principal("somebody else"))
    answer = await plant.rebase(somebody, how=Applying(validate_only=True))
    assert answer.value.applied.summary.of_others == 1
