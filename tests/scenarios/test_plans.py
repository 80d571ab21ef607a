"""Bundles as plans on the wire: the plan says what apply does, and apply does just that."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from mds.v1.agent_pb2 import Agent
from mds.v1.bundle_pb2 import (
    ON_CONFLICT_REPLACE,
    BundleHeader,
    BundleItem,
    PruneScope,
    SeenPlan,
)
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import AttributeOverride
from mds.v1.kind_pb2 import KIND_CONTROL_UNIT, KIND_CONTROL_UNIT_STATUS
from mds.v1.template_pb2 import Template

from control_units.client import Client, Refused
from tests.scenarios.plans import Told, apply
from tests.stages.replica import Replica

TEMPLATE = BundleItem(template=Template(name="templates/Supply", implementation="Supply"))


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address, principal="anna") as client:
        yield client


def unit(id: str, maximum: str) -> BundleItem:
    override = AttributeOverride(attribute="current", maximum=maximum)
    found = ControlUnit(
        name=f"control_units/{id}", template="templates/Supply", overrides=[override]
    )
    return BundleItem(source=f"units.yaml:{id}", control_unit=found)


def header(**fields: Any) -> BundleHeader:
    return BundleHeader(on_conflict=ON_CONFLICT_REPLACE, reason="a test", **fields)


async def declare(client: Client, *items: BundleItem) -> Told:
    told = await apply(client, items, header())
    assert told.summary.applied
    return told


async def test_a_plan_tells_what_apply_then_does(client: Client, replica: Replica) -> None:
    first = await declare(client, TEMPLATE, unit("A/1", "0x0A"), unit("A/2", "5"))
    items = [unit("A/1", "0x0B"), unit("A/3", "7"), BundleItem(removed="agents/none")]
    scope = PruneScope(kinds=[KIND_CONTROL_UNIT], id_prefix="A/")
    async with Client(replica.address, principal="berta") as berta:
        tried = await apply(berta, items, header(validate_only=True, prune=[scope]))
        assert not tried.summary.applied
        assert tried.summary.position.revision == first.summary.position.revision
        seen = SeenPlan(position=tried.summary.position, plan=tried.summary.plan)
        done = await apply(berta, items, header(prune=[scope], seen_plan=seen))
    assert done.summary.applied
    assert done.results == tried.results
    assert done.actions() == {
        "control_units/A/1": "CHANGED",
        "control_units/A/3": "CREATED",
        "agents/none": "UNCHANGED",
        "control_units/A/2": "REMOVED",
    }
    (changed, *_) = done.results
    (difference,) = changed.differences
    assert (difference.path, difference.before, difference.after) == (
        "overrides[current].maximum",
        "0x0A",
        "0x0B",
    )
    assert changed.source == "units.yaml:A/1"
    assert changed.etag == str(first.summary.position.revision)
    assert changed.last_author == "anna"
    summary = done.summary
    assert (summary.created, summary.changed, summary.removed, summary.unchanged) == (1, 1, 1, 1)
    assert (summary.of_others, summary.running) == (2, 0)
    last = done.progress[-1]
    assert (last.received, last.checked, last.written) == (3, 4, 3)


async def test_a_plan_that_moved_is_refused_with_who_moved_it(client: Client) -> None:
    await declare(client, TEMPLATE, unit("A/1", "5"))
    tried = await apply(client, [unit("A/1", "6")], header(validate_only=True))
    seen = SeenPlan(position=tried.summary.position, plan=tried.summary.plan)
    await declare(client, unit("A/1", "7"))
    with pytest.raises(Refused, match="PLAN_MOVED") as refused:
        await apply(client, [unit("A/1", "6")], header(seen_plan=seen))
    (conflict,) = refused.value.conflicts
    assert (conflict.name, conflict.author) == ("control_units/A/1", "anna")
    assert refused.value.metadata["names"] == "control_units/A/1"


async def test_a_repeated_request_gets_the_first_summary(client: Client) -> None:
    once = header(request_id="once")
    first = await apply(client, [TEMPLATE, unit("A/1", "5")], once)
    again = await apply(client, [TEMPLATE, unit("A/1", "5")], once)
    assert again.summary == first.summary


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (BundleItem(removed="magnets/1"), "one of the collections templates"),
        (BundleItem(removed="agents/a b"), "segments of letters"),
        (BundleItem(removed=""), "collections"),
    ],
)
async def test_a_removal_of_what_cannot_be_is_a_problem(
    client: Client, item: BundleItem, expected: str
) -> None:
    told = await apply(client, [item], header())
    (problem,) = told.problems
    assert (problem.reason, problem.field) == ("INVALID_ID", "removed")
    assert expected in problem.message


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        (PruneScope(id_prefix="A B"), "prune[0].id_prefix"),
        (PruneScope(kinds=[KIND_CONTROL_UNIT_STATUS]), "prune[0].kinds"),
    ],
)
async def test_a_scope_that_cannot_be_is_refused(
    client: Client, scope: PruneScope, field: str
) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        await apply(client, [], header(prune=[scope]))
    assert field in str(refused.value)


async def test_a_long_value_is_told_shortened(client: Client) -> None:
    agent = Agent(name="agents/a", properties={"note": '"short"'})
    await declare(client, BundleItem(agent=agent))
    agent.properties["note"] = f'"{"x" * 1_000_000}"'
    told = await apply(client, [BundleItem(agent=agent)], header(validate_only=True))
    (difference,) = told.results[0].differences
    assert difference.after.endswith("(1000002 characters)")
    assert len(difference.after) < 3000
