"""Guards: what they forbid is refused, whichever way it comes, while the machine is in the mode."""

import asyncio
from collections.abc import Awaitable, Callable
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
from metadata_server.domain.intent.bundle import Item, ItemAction, OnConflict, PruneScope
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.refused import RefusalKind, Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.edits import Editing, Edits
from metadata_server.services.intent.plans import Applied, Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.rebase import Rebases, Target
from metadata_server.services.intent.renaming import Copying, Renaming
from metadata_server.services.intent.resources import Resources
from metadata_server.services.intent.single import decide, finish
from metadata_server.services.life.configurations import Configurations
from metadata_server.services.past.revert import Revert
from metadata_server.services.past.undo import Undo
from metadata_server.store.orchestration.guards import guard_refusals
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

Call = Callable[..., Caller]
CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"maximum": "100"})
TEMPLATE = Template(id="Supply", implementation="::Supply", attributes=(CURRENT,))
MACHINE = MachineMode(id="DAFNE", mode="ACCESS", modes=("ACCESS", "BEAM"))
GUARD = Guard(
    id="beam",
    description="stored beam",
    machine_mode="DAFNE",
    modes=("BEAM",),
    forbids=(GuardedChange.EVERYTHING,),
    id_prefixes=("A/",),
)
STOP = FieldEdit("desired_state", "STOPPED")


def unit(id: str) -> ControlUnit:
    return ControlUnit(id=id, template="Supply", unit_server="US", desired_state=State.RUNNING)


class Machine:
    """Guarded units `A/1` and `A/2`, and `B/1`, of a machine whose mode can be set."""

    def __init__(self, store: Store, call: Call) -> None:
        self.store, self.call = store, call
        self.resources = Resources(store)

    async def apply(self, *items: Resource | Item, **how: Any) -> Applied:
        wanted = [each if isinstance(each, Item) else Item("", each.name, each) for each in items]
        applying = replace(Applying(on_conflict=OnConflict.REPLACE), **how)
        bundles = Bundles(self.store)
        return (await bundles.apply(self.call(), wanted, applying, ApplyProgress())).value

    async def update(self, type_: type[Resource], id: str, **fields: Any) -> int:
        answer = await self.resources.update(
            self.call(),
            type_,
            id,
            etag="*",
            change=lambda there: replace(there, **fields),
            validate_only=False,
        )
        return answer.position.revision

    async def mode(self, mode: str) -> None:
        await self.update(MachineMode, "DAFNE", mode=mode)

    async def delete(self, type_: type[Resource], id: str) -> None:
        await self.resources.delete(self.call(), type_, id, etag="*", validate_only=False)

    async def edit(self, **how: Any) -> Applied:
        """Stops all units."""
        applying = replace(Applying(), **how)
        editing = Editing(UnitSelection(), [STOP])
        return (await Edits(self.store).edit(self.call(), editing, applying, ApplyProgress())).value

    async def wanted(self) -> dict[str, State]:
        found = (await self.store.read(lambda unit: unit.resources.where(ControlUnit))).value
        return {each.id: each.desired_state for each in found}


@pytest.fixture
async def machine(store: Store, call: Call) -> Machine:
    found = Machine(store, call)
    units = [unit("A/1"), unit("A/2"), unit("B/1")]
    applied = await found.apply(TEMPLATE, UnitServer(id="US"), *units, MACHINE, GUARD)
    assert applied.summary.applied, applied.decisions
    return found


async def refused(change: Awaitable[Any]) -> Refused:
    with pytest.raises(Refused, match="FORBIDDEN_BY_GUARD") as caught:
        await change
    return caught.value


async def test_a_change_is_refused_in_the_mode_and_taken_in_another(machine: Machine) -> None:
    await machine.mode("BEAM")
    told = await refused(machine.update(ControlUnit, "A/1", desired_state=State.STOPPED))
    assert told.kind is RefusalKind.PRECONDITION
    assert "guards/beam forbids it while machine_modes/DAFNE is BEAM" in told.message
    await machine.update(ControlUnit, "B/1", desired_state=State.STOPPED)
    await machine.mode("ACCESS")
    await machine.update(ControlUnit, "A/1", desired_state=State.STOPPED)


async def test_without_its_guard_nothing_is_forbidden(machine: Machine) -> None:
    await machine.mode("BEAM")
    await machine.delete(Guard, "beam")
    await machine.update(ControlUnit, "A/1", desired_state=State.STOPPED)


async def test_deletions_are_refused_singly_in_bundles_and_by_pruning(machine: Machine) -> None:
    await machine.mode("BEAM")
    await refused(machine.delete(ControlUnit, "A/1"))
    one = Item.removal(Kind.CONTROL_UNIT, "A/1")
    scope = PruneScope((Kind.CONTROL_UNIT,), "")
    for applied in (
        await machine.apply(one),
        await machine.apply(unit("A/2"), unit("B/1"), prune=(scope,)),
    ):
        (problem,) = [each for d in applied.decisions for each in d.problems]
        assert (problem.reason, problem.value) == ("FORBIDDEN_BY_GUARD", "control_units/A/1")
        assert not applied.summary.applied
    await machine.delete(ControlUnit, "B/1")
    await machine.mode("ACCESS")
    await machine.delete(ControlUnit, "A/1")


async def test_an_edit_tells_each_unit_that_is_guarded_and_can_leave_them_out(
    machine: Machine,
) -> None:
    await machine.mode("BEAM")
    told = await machine.edit()
    rejected = [d for d in told.decisions if d.action is ItemAction.REJECTED]
    assert [d.item.name for d in rejected] == ["control_units/A/1", "control_units/A/2"]
    assert {each.reason for d in rejected for each in d.problems} == {"FORBIDDEN_BY_GUARD"}
    assert (await machine.edit(skip_invalid=True)).summary.applied
    assert await machine.wanted() == {
        "A/1": State.RUNNING, "A/2": State.RUNNING, "B/1": State.STOPPED,
    }  # fmt: skip


async def test_what_was_changed_in_another_mode_is_not_taken_back_in_this(
    machine: Machine,
) -> None:
    revision = await machine.update(ControlUnit, "A/1", desired_state=State.STOPPED)
    await machine.mode("BEAM")
    undo, revert = Undo(machine.store), Revert(machine.store)
    await refused(undo.undo(machine.call(), revision, validate_only=False, skip_invalid=False))
    await refused(
        revert.revert(
            machine.call(),
            Kind.CONTROL_UNIT,
            "A/1",
            as_of=Moment(revision=revision - 1),
            etag="*",
            validate_only=False,
        )
    )


async def test_units_are_neither_renamed_nor_copied_into_what_is_guarded(machine: Machine) -> None:
    await machine.mode("BEAM")
    renaming, call = Renaming(machine.store), machine.call
    await refused(renaming.rename(call(), "A/1", "C/1", etag="*", validate_only=False))
    await refused(renaming.copy(call(), Copying(id="B/1", new_id="A/3"), validate_only=False))
    await refused(machine.resources.create(call(), unit("A/4"), validate_only=False))
    await renaming.rename(call(), "B/1", "C/1", etag="*", validate_only=False)


async def test_units_are_not_rebased_under_a_guard_of_their_template(machine: Machine) -> None:
    await machine.update(Guard, "beam", forbids=(GuardedChange.TEMPLATE,))
    narrower = replace(CURRENT, facets={"maximum": "50"})
    await machine.apply(replace(TEMPLATE, version=2, attributes=(narrower,)))
    await machine.mode("BEAM")
    rebases = Rebases(machine.store, Configurations())
    how = Applying(skip_invalid=True)
    await rebases.rebase(machine.call(), Target(template="Supply"), how, ApplyProgress())
    found = (await machine.store.read(lambda unit: unit.resources.where(ControlUnit))).value
    assert {each.id: each.template_version for each in found} == {"A/1": 1, "A/2": 1, "B/1": 2}


async def test_a_bundle_obeys_the_mode_that_there_is_before_it(machine: Machine) -> None:
    await machine.mode("BEAM")
    stopped = replace(unit("A/1"), desired_state=State.STOPPED)
    applied = await machine.apply(replace(MACHINE, mode="ACCESS"), stopped)
    assert not applied.summary.applied
    assert (await machine.apply(replace(MACHINE, mode="ACCESS"))).summary.applied
    assert (await machine.apply(replace(MACHINE, mode="BEAM"), stopped)).summary.applied


async def test_what_an_order_would_be_refused_is_told_beforehand(machine: Machine) -> None:
    await machine.update(Guard, "beam", forbids=(GuardedChange.ORDERS,))

    def barred(unit: UnitOfWork, changed: str) -> dict[str, str]:
        return guard_refusals(unit, unit.resources.where(ControlUnit), {changed})

    store = machine.store
    assert not (await store.read(lambda unit: barred(unit, "desired_state"))).value
    await machine.mode("BEAM")
    found = (await store.read(lambda unit: barred(unit, "desired_state"))).value
    assert set(found) == {"A/1", "A/2"}
    assert found["A/1"] == (
        "guards/beam forbids it while machine_modes/DAFNE is BEAM until it is ACCESS (stored beam)"
    )
    assert not (await store.read(lambda unit: barred(unit, "overrides"))).value


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"description": " "}, "description", "INVALID_FIELD"),
        ({"machine_mode": ""}, "machine_mode", "INVALID_ID"),
        ({"machine_mode": "NONE"}, "machine_mode", "MACHINE_MODE_NOT_FOUND"),
        ({"modes": ()}, "modes", "INVALID_FIELD"),
        ({"modes": ("NIGHT",)}, "modes[0]", "INVALID_FIELD"),
        ({"forbids": ()}, "forbids", "INVALID_FIELD"),
        ({"id_prefixes": ("a b",)}, "id_prefixes[0]", "INVALID_FIELD"),
        ({"control_units": ("A/9",)}, "control_units", "CONTROL_UNIT_NOT_FOUND"),
        ({"unit_servers": ("NONE",)}, "unit_servers", "UNIT_SERVER_NOT_FOUND"),
        ({"templates": ("NONE",)}, "templates", "TEMPLATE_NOT_FOUND"),
        ({"unit_labels": {"": "x"}}, "unit_labels[]", "INVALID_FIELD"),
    ],
)
async def test_a_guard_that_would_guard_nothing_is_refused(
    machine: Machine, wrong: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        await machine.update(Guard, "beam", **wrong)
    assert [(each.field, each.reason) for each in caught.value.fields] == [(field, reason)]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"modes": ()}, "modes"),
        ({"mode": "NIGHT"}, "mode"),
        ({"mode": "a b", "modes": ("a b",)}, "modes[0]"),
    ],
)
async def test_a_machine_has_one_of_its_modes(
    machine: Machine, wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as caught:
        await machine.update(MachineMode, "DAFNE", **wrong)
    assert [each.field for each in caught.value.fields] == [field]


async def test_a_machine_mode_that_guards_go_by_stays(machine: Machine) -> None:
    with pytest.raises(Refused, match="STILL_IN_USE"):
        await machine.delete(MachineMode, "DAFNE")


async def test_overrides_that_a_guard_leaves_free_are_taken(machine: Machine) -> None:
    await machine.update(Guard, "beam", forbids=(GuardedChange.ORDERS, GuardedChange.DRIVERS))
    await machine.mode("BEAM")
    override = AttributeOverride("current", {"maximum": "50"})
    await machine.update(ControlUnit, "A/1", overrides=(override,))


async def test_a_change_that_comes_after_the_mode_has_obeyed_it(
    mariadb_database: str, call: Call
) -> None:
    """The mode is set between the check of a change and its commit; on SQLite nobody can."""
    loop = asyncio.get_running_loop()
    with opened_store(mariadb_database) as store:
        machine = Machine(store, call)
        await machine.apply(TEMPLATE, UnitServer(id="US"), unit("A/1"), MACHINE, GUARD)
        stopped = replace(unit("A/1"), desired_state=State.STOPPED)
        tries = 0

        def work(unit: UnitOfWork) -> None:
            nonlocal tries
            tries += 1
            decision = decide(unit, stopped)
            asyncio.run_coroutine_threadsafe(machine.mode("BEAM"), loop).result(10)
            finish(unit, decision, validate_only=False)

        await refused(store.transact(work, caller=call()))
        assert tries == 2
        assert await machine.wanted() == {"A/1": State.RUNNING}
