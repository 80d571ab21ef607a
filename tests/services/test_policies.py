"""Policies: changes that need a reason, whichever way they come."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import Item, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Policy
from metadata_server.domain.intent.policy import Touched, check_reason
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.planning import Planning
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.resources import Resources
from metadata_server.services.intent.saving import save_all
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

Call = Callable[..., Caller]
ZONE = Policy(id="zone", id_prefix="DAFNE/", requires_reason=True)


@pytest.fixture
def resources(store: Store) -> Resources:
    return Resources(store)


async def declare(resources: Resources, caller: Caller, *declared: Resource) -> None:
    for each in declared:
        await resources.create(caller, each, validate_only=False)


async def refused(change: Awaitable[Any]) -> Refused:
    with pytest.raises(Refused, match="REASON_REQUIRED") as caught:
        await change
    return caught.value


@pytest.mark.parametrize("reason", ["", " \t\n"])
@pytest.mark.parametrize("validate_only", [False, True])
async def test_a_change_that_a_policy_is_about_needs_a_reason(
    resources: Resources, call: Call, reason: str, *, validate_only: bool
) -> None:
    await declare(resources, call(), ZONE, Agent(id="DAFNE/v", host="1"))
    silent = call(reason=reason)
    told = await refused(resources.create(silent, Agent(id="DAFNE/w"), validate_only=validate_only))
    assert told.metadata["policy"] == "policies/zone"
    assert told.metadata["name"] == "agents/DAFNE/w"
    assert "agents/DAFNE/w" in told.message
    await refused(
        resources.update(
            silent,
            Agent,
            "DAFNE/v",
            etag="*",
            change=lambda each: replace(each, host="2"),
            validate_only=validate_only,
        )
    )
    await refused(resources.delete(silent, Agent, "DAFNE/v", etag="*", validate_only=validate_only))
    kept = (await resources.get(Agent, "DAFNE/v")).value
    assert kept.host == "1"
    await resources.delete(call(), Agent, "DAFNE/v", etag="*", validate_only=validate_only)


@pytest.mark.parametrize("validate_only", [False, True])
async def test_a_bundle_needs_a_reason_as_a_whole(
    store: Store, resources: Resources, call: Call, *, validate_only: bool
) -> None:
    await declare(resources, call(), ZONE)
    items = [Item("", f"agents/{id}", Agent(id=id)) for id in ("a", "DAFNE/v", "DAFNE/w")]
    how = Applying(on_conflict=OnConflict.REPLACE, validate_only=validate_only)
    told = await refused(Bundles(store).apply(call(reason=""), items, how, ApplyProgress()))
    assert told.metadata["count"] == "2"
    with pytest.raises(Refused, match="AGENT_NOT_FOUND"):
        await resources.get(Agent, "a")


async def test_a_policy_about_a_template_is_about_its_units_too(
    resources: Resources, call: Call
) -> None:
    await declare(
        resources,
        call(),
        Template(id="Supply", implementation="S"),
        Template(id="Camera", implementation="C"),
        UnitServer(id="US"),
        ControlUnit(id="s", template="Supply", unit_server="US"),
        ControlUnit(id="c", template="Camera", unit_server="US"),
        Policy(id="supplies", template="Supply", requires_reason=True),
    )
    silent = call(reason="")

    async def change(type_: type[Resource], id: str, **fields: Any) -> None:
        await resources.update(
            silent,
            type_,
            id,
            etag="*",
            change=lambda each: replace(each, **fields),
            validate_only=False,
        )

    await change(ControlUnit, "c", description="x")
    await change(Template, "Camera", description="x")
    await refused(change(ControlUnit, "s", description="x"))
    await refused(change(Template, "Supply", description="x"))
    await refused(change(ControlUnit, "c", template="Supply", template_version=1))
    # Taking it away from the template is a change of what the policy is about as well.
    await refused(change(ControlUnit, "s", template="Camera", template_version=1))


async def test_what_no_policy_is_about_changes_without_a_reason(
    resources: Resources, call: Call
) -> None:
    await declare(
        resources,
        call(),
        ZONE,
        Policy(id="servers", kinds=(Kind.UNIT_SERVER,), requires_reason=True),
        Policy(id="idle", requires_reason=False),
    )
    silent = call(reason="")
    await declare(resources, silent, Agent(id="DAFNE"), Agent(id="BTF/DAFNE/v"))
    await refused(resources.create(silent, UnitServer(id="a"), validate_only=False))


async def test_an_unchanged_resource_needs_no_reason(resources: Resources, call: Call) -> None:
    await declare(resources, call(), ZONE, Agent(id="DAFNE/v", host="1"))
    await resources.update(
        call(reason=""),
        Agent,
        "DAFNE/v",
        etag="*",
        change=lambda each: replace(each, host="1"),
        validate_only=False,
    )


async def test_what_is_saved_beside_any_planning_is_checked_too(store: Store, call: Call) -> None:
    """The transaction itself asks, so that no way of writing can forget it."""
    await store.transact(lambda unit: unit.save(ZONE))
    with pytest.raises(Refused, match="REASON_REQUIRED"):
        await store.transact(lambda unit: unit.save(Agent(id="DAFNE/v")), caller=call(reason=""))
    await store.transact(lambda unit: unit.save(Agent(id="DAFNE/v")))

    def rename(unit: Any) -> None:
        unit.save(replace(unit.resources.get(Agent, "DAFNE/v", lock=True), id="away"))

    with pytest.raises(Refused, match="REASON_REQUIRED"):
        await store.transact(rename, caller=call(reason=""))


async def test_a_change_that_comes_after_a_policy_has_obeyed_it(
    mariadb_database: str, call: Call
) -> None:
    """The policy is declared between the check of a change and its claim; on SQLite nobody can."""
    loop = asyncio.get_running_loop()
    with opened_store(mariadb_database) as store:
        resources = Resources(store)
        tries = 0

        def work(unit: UnitOfWork) -> None:
            nonlocal tries
            tries += 1
            item = Item("", "agents/DAFNE/v", Agent(id="DAFNE/v"))
            decisions = Planning(unit, on_conflict=OnConflict.REPLACE).decide([item])
            declaring = declare(resources, call(), ZONE)
            asyncio.run_coroutine_threadsafe(declaring, loop).result(10)
            save_all(unit, decisions)

        told = await refused(store.transact(work, caller=call(reason="")))
        assert told.metadata["policy"] == "policies/zone"
        assert tries == 1
        with pytest.raises(Refused, match="AGENT_NOT_FOUND"):
            await resources.get(Agent, "DAFNE/v")


@pytest.mark.parametrize(("reason", "asked"), [("", 2), ("because", 0)])
async def test_who_says_why_pays_for_no_policies(
    store: Store, call: Call, reason: str, asked: int
) -> None:
    """Once before the revision is claimed, and once after."""

    def work(unit: UnitOfWork) -> int:
        count = 0

        def count_it(_: Any, __: Any, statement: str, *___: Any) -> None:
            nonlocal count
            count += "FROM policy" in statement.replace("`", "")

        item = Item("", "agents/a", Agent(id="a"))
        event.listen(unit.connection, "before_cursor_execute", count_it)
        save_all(unit, Planning(unit, on_conflict=OnConflict.REPLACE).decide([item]))
        unit.check_reason([])
        unit.check_reason([])
        event.remove(unit.connection, "before_cursor_execute", count_it)
        return count

    assert (await store.transact(work, caller=call(reason=reason))).value == asked


def test_many_resources_are_counted_and_the_first_are_named() -> None:
    changed = [Touched(Kind.AGENT, f"a{number}") for number in range(9)]
    with pytest.raises(Refused) as caught:
        check_reason(" ", [Policy(id="all", requires_reason=True)], changed)
    assert "agents/a0, agents/a1, agents/a2 and 6 more" in caught.value.message
