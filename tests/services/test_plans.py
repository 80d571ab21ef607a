"""Bundles as plans: what they remove, what they would touch, and that a plan which was seen is
done just so or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.bundle import (
    Decision,
    Item,
    ItemAction,
    OnConflict,
    PruneScope,
    SeenPlan,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Policy
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applied, Applying, plan_of
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.store.schema import instantiation
from metadata_server.store.store import Answer, Store
from tests.services.exported import exported_by
from tests.services.lively import CALLER, attached, facility, report
from tests.stages.waiting import until

Call = Callable[..., Caller]
TEMPLATE = Template(id="Supply", implementation="::Supply")
AGENT = Agent(id="host")
SERVER = UnitServer(id="US", launch=Launch(agent="host"))
FACILITY = (TEMPLATE, AGENT, SERVER)
EVERYTHING = (PruneScope(),)


def unit(id: str = "A/1", **fields: str) -> ControlUnit:
    plain = ControlUnit(id=id, template="Supply", unit_server="US")
    return replace(plain, **fields)  # type: ignore[arg-type]


@pytest.fixture
def bundles(store: Store) -> Bundles:
    return Bundles(store)


def items(*resources: Resource | Item) -> list[Item]:
    return [
        each if isinstance(each, Item) else Item(f"line[{number}]", each.name, each)
        for number, each in enumerate(resources)
    ]


async def answer(
    bundles: Bundles, caller: Caller, *resources: Resource | Item, **how: object
) -> Answer[Applied]:
    applying = replace(Applying(on_conflict=OnConflict.REPLACE), **how)  # type: ignore[arg-type]
    return await bundles.apply(caller, items(*resources), applying, ApplyProgress())


async def apply(
    bundles: Bundles, caller: Caller, *resources: Resource | Item, **how: object
) -> Applied:
    return (await answer(bundles, caller, *resources, **how)).value


async def ids(bundles: Bundles) -> list[str]:
    return [found.name for found in await exported_by(bundles)]


def became(decisions: Sequence[Decision]) -> dict[str, ItemAction]:
    return {decision.item.name: decision.action for decision in decisions}


def removal(resource: Resource) -> Item:
    return Item.removal(resource.kind, resource.id)


async def test_a_bundle_removes_what_it_says_and_removing_it_again_changes_nothing(
    bundles: Bundles, call: Call
) -> None:
    await apply(bundles, call(), *FACILITY, unit("A/1"), unit("A/2"))
    gone = removal(unit("A/1"))
    first = await answer(bundles, call(), gone)
    assert became(first.value.decisions) == {"control_units/A/1": ItemAction.REMOVED}
    assert first.value.summary.counts == {ItemAction.REMOVED: 1}
    assert "control_units/A/1" not in await ids(bundles)
    again = await answer(bundles, call(), gone)
    assert became(again.value.decisions) == {"control_units/A/1": ItemAction.UNCHANGED}
    assert again.position.revision == first.position.revision


async def test_what_is_not_named_in_a_scope_goes_and_what_lies_outside_stays(
    bundles: Bundles, call: Call
) -> None:
    await apply(bundles, call(), *FACILITY, unit("A/1"), unit("A/2"), unit("AB/3"), unit("B/4"))
    scope = PruneScope((Kind.CONTROL_UNIT,), "A/")
    applied = await apply(bundles, call(), unit("A/1"), prune=(scope,))
    assert applied.summary.applied
    assert became(applied.decisions) == {
        "control_units/A/1": ItemAction.UNCHANGED,
        "control_units/A/2": ItemAction.REMOVED,
    }
    left = [name for name in await ids(bundles) if name.startswith("control_units/")]
    assert left == ["control_units/A/1", "control_units/AB/3", "control_units/B/4"]


async def test_a_whole_facility_goes_with_an_empty_bundle(bundles: Bundles, call: Call) -> None:
    policy = Policy(id="P", template="Supply")
    await apply(bundles, call(), *FACILITY, unit(), policy)
    applied = await apply(bundles, call(), prune=EVERYTHING)
    assert applied.summary.counts == {ItemAction.REMOVED: 5}
    assert await ids(bundles) == []


async def test_what_others_use_is_a_problem_that_names_them(bundles: Bundles, call: Call) -> None:
    await apply(bundles, call(), *FACILITY, unit("A/1"), unit("A/2"))
    servers = PruneScope((Kind.UNIT_SERVER,))
    applied = await apply(bundles, call(), removal(TEMPLATE), unit("A/3"), prune=(servers,))
    assert not applied.summary.applied
    problems = {d.item.name: d.problems[0] for d in applied.decisions if d.problems}
    assert {name: problem.reason for name, problem in problems.items()} == {
        "templates/Supply": "STILL_IN_USE",
        "unit_servers/US": "STILL_IN_USE",
    }
    for name in ("control_units/A/1", "control_units/A/2", "control_units/A/3"):
        assert name in problems["unit_servers/US"].expected


async def test_what_lets_go_in_the_same_bundle_is_not_in_the_way(
    bundles: Bundles, call: Call
) -> None:
    await apply(bundles, call(), *FACILITY, unit("A/1"), unit("A/2"))
    other = UnitServer(id="OTHER")
    moved = unit("A/1", unit_server="OTHER")
    applied = await apply(
        bundles, call(), other, moved, removal(unit("A/2")), removal(SERVER), removal(AGENT)
    )
    assert applied.summary.applied
    assert await ids(bundles) == ["templates/Supply", "unit_servers/OTHER", "control_units/A/1"]


async def test_what_a_rejected_item_names_stays(bundles: Bundles, call: Call) -> None:
    await apply(bundles, call(), *FACILITY, unit("A/1"), unit("A/2"))
    wrong = unit("A/1", template="Nothing")
    applied = await apply(
        bundles,
        call(),
        wrong,
        prune=(PruneScope((Kind.CONTROL_UNIT, Kind.UNIT_SERVER)),),
        skip_invalid=True,
    )
    assert became(applied.decisions) == {
        "control_units/A/1": ItemAction.REJECTED,
        "control_units/A/2": ItemAction.REMOVED,
        "unit_servers/US": ItemAction.REJECTED,
    }
    assert "control_units/A/1" in await ids(bundles)
    assert "control_units/A/2" not in await ids(bundles)


@pytest.mark.parametrize("turned", [False, True])
async def test_a_bundle_cannot_name_and_remove_the_same(
    bundles: Bundles, call: Call, *, turned: bool
) -> None:
    both = [TEMPLATE, removal(TEMPLATE)]
    applied = await apply(bundles, call(), *(reversed(both) if turned else both))
    assert not applied.summary.applied
    assert [decision.action for decision in applied.decisions].count(ItemAction.REJECTED) == 1


async def test_a_summary_counts_what_others_had_changed_last(bundles: Bundles, call: Call) -> None:
    anna = call(principal=Principal("anna"))
    await apply(bundles, anna, *FACILITY, unit("A/1"), unit("A/2"))
    await apply(bundles, call(), unit("A/2", description="mine"))
    changed = [unit("A/1", description="new"), unit("A/2", description="new"), unit("A/3")]
    applied = await apply(bundles, call(), *changed, validate_only=True)
    assert applied.summary.of_others == 1
    assert [decision.last_author for decision in applied.decisions] == ["anna", "tester", ""]


async def seen(
    bundles: Bundles, caller: Caller, *wanted: Resource | Item, **how: object
) -> SeenPlan:
    tried = await answer(bundles, caller, *wanted, validate_only=True, **how)
    return SeenPlan(tried.position, tried.value.summary.plan)


async def test_a_plan_that_was_seen_is_carried_out(bundles: Bundles, call: Call) -> None:
    await apply(bundles, call(), *FACILITY, unit("A/1"))
    wanted = (unit("A/2"), unit("A/1", description="new"))
    plan = await seen(bundles, call(), *wanted)
    await apply(bundles, call(), Agent(id="elsewhere"))
    applied = await apply(bundles, call(), *reversed(wanted), seen=plan)
    assert applied.summary.applied
    assert applied.summary.plan == plan.plan


@pytest.mark.parametrize(
    ("meanwhile", "moved"),
    [
        (unit("A/1", description="theirs"), "control_units/A/1"),
        (unit("A/9"), "control_units/A/9"),
        (removal(unit("A/2")), "control_units/A/2"),
        (replace(TEMPLATE, description="next"), "templates/Supply"),
    ],
    ids=["changed", "came", "went", "referred to"],
)
async def test_a_plan_that_moved_is_refused_and_says_what_moved(
    bundles: Bundles, call: Call, meanwhile: Resource | Item, moved: str
) -> None:
    await apply(bundles, call(), *FACILITY, unit("A/1"), unit("A/2"))
    wanted = (unit("A/1", description="mine"), unit("A/3"))
    scope = PruneScope((Kind.CONTROL_UNIT,), "A/")
    plan = await seen(bundles, call(), *wanted, prune=(scope,))
    anna = call(principal=Principal("anna"), reason="because")
    await apply(bundles, anna, meanwhile)
    before = await ids(bundles)
    with pytest.raises(Refused, match="PLAN_MOVED") as raised:
        await apply(bundles, call(), *wanted, prune=(scope,), seen=plan)
    (conflict,) = raised.value.conflicts
    assert (conflict.name, conflict.author, conflict.reason) == (moved, "anna", "because")
    assert moved in raised.value.message
    assert await ids(bundles) == before


async def test_a_plan_of_another_store_is_refused(bundles: Bundles, call: Call) -> None:
    plan = await seen(bundles, call(), TEMPLATE)
    elsewhere = SeenPlan(replace(plan.position, store_id="another"), "0" * 64)
    with pytest.raises(Refused, match="HISTORY_RESET"):
        await apply(bundles, call(), TEMPLATE, seen=elsewhere)


def test_a_plan_does_not_depend_on_the_order_of_items_or_of_maps() -> None:
    one = Decision(
        Item("1", "agents/a", None),
        ItemAction.CREATED,
        None,
        Agent(id="a", labels={"x": "1", "y": "2"}),
    )
    other = replace(one, after=Agent(id="a", labels={"y": "2", "x": "1"}))
    more = Decision(Item("2", "agents/b", None), ItemAction.CREATED, None, Agent(id="b"))
    assert plan_of([one, more]) == plan_of([more, other])
    assert plan_of([one]) != plan_of([replace(one, after=Agent(id="a", labels={"x": "1"}))])
    assert plan_of([one]) != plan_of([replace(one, action=ItemAction.CHANGED)])


async def test_a_policy_cannot_name_a_template_that_is_not_there(
    bundles: Bundles, call: Call
) -> None:
    applied = await apply(bundles, call(), Policy(id="P", template="Nothing"))
    (problem,) = applied.decisions[0].problems
    assert (problem.field, problem.reason) == ("template", "TEMPLATE_NOT_FOUND")


async def test_a_unit_that_runs_is_told_and_its_life_ends_with_it(store: Store) -> None:
    async with facility(store) as lab:
        await lab.declare("A/1", "A/2", "A/3")
        registered = await lab.register()
        async with attached(lab, registered) as (unit_server, ear):
            said = [report("A/1", 1, State.RUNNING), report("A/2", 2, State.LOADED)]
            await unit_server.report(said)
            await until(lambda: ear.acknowledged == 2, what="the acknowledgement")
            gone = [Item.removal(Kind.CONTROL_UNIT, id) for id in ("A/1", "A/2", "A/3")]
            applied = await apply(Bundles(store), CALLER, *gone)
    assert [decision.is_running for decision in applied.decisions] == [True, False, False]
    assert applied.summary.running == 1
    query = select(instantiation.c.end_reason)
    ends = (await store.read(lambda unit: list(unit.connection.scalars(query)))).value
    assert ends == ["REMOVED"] * 3


async def test_how_far_it_is_moves_with_every_part_of_the_work(store: Store, call: Call) -> None:
    """Many units are checked one by one, and written in parts."""
    many = items(*FACILITY, *(unit(f"A/{number:04}") for number in range(2500)))
    progress = Watched()
    await Bundles(store).apply(call(), many, Applying(), progress)
    assert progress.all["checked"] == set(range(2504))
    assert max(progress.all["written"]) == 2503
    assert len(progress.all["written"]) > 3


class Watched(ApplyProgress):
    """Remembers all that it told."""

    def __init__(self) -> None:
        self.__dict__["told"] = {"checked": set(), "written": set()}
        super().__init__()

    @property
    def all(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = self.__dict__["told"]
        return found

    def __setattr__(self, name: str, value: int) -> None:
        self.all[name].add(value)
        super().__setattr__(name, value)
