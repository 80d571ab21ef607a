"""Units are renamed and copied; both names find what was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.page import Selection
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.renaming import Copying, Renaming
from metadata_server.services.intent.resources import Resources
from metadata_server.services.past.undo import Undo
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store
from tests.stages.shelves import shelf_of

Call = Callable[..., Caller]
CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE)
OVERRIDE = AttributeOverride("current", facets={"maximum": "0x1F"})


@pytest.fixture
def resources(store: Store) -> Resources:
    return Resources(store)


@pytest.fixture
def renaming(store: Store) -> Renaming:
    return Renaming(store)


@pytest.fixture
async def unit(resources: Resources, call: Call) -> ControlUnit:
    """`A/1`, which shall run, on `US`; `US/2` is another unit server."""
    template = Template(id="Supply", implementation="::Supply", attributes=(CURRENT,))
    await resources.create(call(), template, validate_only=False)
    for server in ("US", "US/2"):
        await resources.create(call(), UnitServer(id=server), validate_only=False)
    wanted = ControlUnit(
        id="A/1",
        template="Supply",
        unit_server="US",
        desired_state=State.RUNNING,
        overrides=(OVERRIDE,),
    )
    return (await resources.create(call(), wanted, validate_only=False)).value


async def rename(renaming: Renaming, caller: Caller, old: str, new: str) -> ControlUnit:
    answer = await renaming.rename(caller, old, new, etag="*", validate_only=False)
    return answer.value


async def test_a_renamed_unit_is_the_same_under_another_name(
    renaming: Renaming, resources: Resources, call: Call, unit: ControlUnit
) -> None:
    renamed = await rename(renaming, call(), "A/1", "B/1")
    assert renamed == replace(unit, id="B/1")
    assert renamed.meta.key == unit.meta.key
    assert renamed.meta.generation == 2
    assert (await resources.get(ControlUnit, "B/1")).value == renamed


async def test_the_old_name_says_what_became_of_it(
    renaming: Renaming, resources: Resources, call: Call, unit: ControlUnit
) -> None:
    renamed = await rename(renaming, call(), "A/1", "B/1")
    with pytest.raises(Refused, match="it is 'B/1' since") as refused:
        await resources.get(ControlUnit, "A/1")
    assert refused.value.reason == "CONTROL_UNIT_NOT_FOUND"
    assert refused.value.metadata == {
        "name": "control_units/A/1",
        "renamed_to": "control_units/B/1",
        "revision": str(renamed.meta.revision),
    }


async def test_what_was_deleted_says_when(
    resources: Resources, renaming: Renaming, call: Call, unit: ControlUnit
) -> None:
    await rename(renaming, call(), "A/1", "B/1")
    answer = await resources.delete(call(), ControlUnit, "B/1", etag="*", validate_only=False)
    for id in ("A/1", "B/1"):
        with pytest.raises(Refused, match="it was deleted") as refused:
            await resources.get(ControlUnit, id)
        assert refused.value.metadata["deleted_at"] == str(answer.position.revision)


async def test_the_past_is_found_by_the_name_of_then(
    renaming: Renaming, resources: Resources, call: Call, unit: ControlUnit
) -> None:
    renamed = await rename(renaming, call(), "A/1", "B/1")
    then, now = str(unit.meta.revision), str(renamed.meta.revision)
    assert (await resources.get(ControlUnit, "A/1", as_of=then)).value.meta == unit.meta
    assert (await resources.get(ControlUnit, "B/1", as_of=now)).value.meta == renamed.meta
    with pytest.raises(Refused, match="it was 'A/1' then") as refused:
        await resources.get(ControlUnit, "B/1", as_of=then)
    assert refused.value.metadata["named_then"] == "control_units/A/1"
    with pytest.raises(Refused, match="CONTROL_UNIT_NOT_FOUND"):
        await resources.get(ControlUnit, "A/1", as_of=str(unit.meta.revision - 1))


async def test_a_reading_of_the_past_tells_its_own_position(
    renaming: Renaming, resources: Resources, call: Call, unit: ControlUnit
) -> None:
    await rename(renaming, call(), "A/1", "B/1")
    answer = await resources.get(ControlUnit, "A/1", as_of=str(unit.meta.revision))
    assert answer.position.revision == unit.meta.revision


@pytest.mark.parametrize(
    ("as_of", "reason"), [("yesterday", "INVALID_FIELD"), ("1000000", "HISTORY_RESET")]
)
async def test_a_moment_that_is_none_is_refused(
    resources: Resources, unit: ControlUnit, as_of: str, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        await resources.get(ControlUnit, unit.id, as_of=as_of)


async def test_a_name_that_is_taken_is_refused(
    renaming: Renaming, call: Call, unit: ControlUnit
) -> None:
    await renaming.copy(call(), Copying(id="A/1", new_id="A/2"), validate_only=False)
    with pytest.raises(Refused, match="ALREADY_EXISTS: control_units/A/2"):
        await rename(renaming, call(), "A/1", "A/2")
    with pytest.raises(Refused, match="ALREADY_EXISTS: control_units/A/2"):
        await renaming.copy(call(), Copying(id="A/1", new_id="A/2"), validate_only=False)


async def test_a_rename_wants_the_etag_that_was_read(
    renaming: Renaming, call: Call, unit: ControlUnit
) -> None:
    for etag, reason in (("", "ETAG_REQUIRED"), ("12345", "ETAG_MISMATCH")):
        with pytest.raises(Refused, match=reason):
            await renaming.rename(call(), "A/1", "B/1", etag=etag, validate_only=False)


async def test_a_trial_renames_and_copies_nothing(
    renaming: Renaming, resources: Resources, call: Call, unit: ControlUnit
) -> None:
    await renaming.rename(call(), "A/1", "B/1", etag=unit.etag, validate_only=True)
    await renaming.copy(call(), Copying(id="A/1", new_id="B/1"), validate_only=True)
    answer = await resources.get(ControlUnit, "A/1")
    assert answer.value.meta == unit.meta
    assert answer.position.revision == unit.meta.revision


async def test_a_rename_to_the_same_name_changes_nothing(
    renaming: Renaming, call: Call, unit: ControlUnit
) -> None:
    assert (await rename(renaming, call(), "A/1", "A/1")).meta == unit.meta


async def test_a_repeated_rename_is_answered_again(
    renaming: Renaming, call: Call, unit: ControlUnit
) -> None:
    caller = call(request_id="r1", payload_hash="h")
    first = await rename(renaming, caller, "A/1", "B/1")
    again = await rename(renaming, caller, "A/1", "B/1")
    assert (again, again.meta) == (first, first.meta)


async def test_a_copy_is_declared_alike_but_nobody_wants_it_to_run_yet(
    renaming: Renaming, call: Call, unit: ControlUnit
) -> None:
    answer = await renaming.copy(call(), Copying(id="A/1", new_id="A/2"), validate_only=False)
    copy = answer.value
    assert copy == replace(unit, id="A/2", desired_state=State.UNSPECIFIED)
    assert copy.meta.key != unit.meta.key
    assert copy.meta.generation == 1


async def test_a_copy_of_the_past_goes_to_another_unit_server(
    renaming: Renaming, resources: Resources, call: Call, unit: ControlUnit
) -> None:
    await resources.delete(call(), ControlUnit, "A/1", etag="*", validate_only=False)
    wanted = Copying(id="A/1", new_id="C/1", unit_server="US/2", as_of=str(unit.meta.revision))
    copy = (await renaming.copy(call(), wanted, validate_only=False)).value
    assert (copy.unit_server, copy.overrides) == ("US/2", (OVERRIDE,))


async def test_a_copy_leaves_a_unit_alone_that_has_just_got_its_name(
    mariadb_database: str, call: Call
) -> None:
    """On SQLite there is one lock for all."""
    other = ControlUnit(id="A/2", template="Supply", template_version=1, description="somebody's")
    late = [other]
    with opened_store(mariadb_database) as store:
        resources = Resources(store)
        for each in (Template(id="Supply", implementation="::Supply"), replace(other, id="A/1")):
            await resources.create(call(), each, validate_only=False)

        @event.listens_for(store.database.writing, "after_cursor_execute")
        def new_name_is_looked_for(
            _: Any, _cursor: Any, statement: str, sought: Any, *_m: Any
        ) -> None:
            if late and "FROM control_unit" in statement and "A/2" in str(sought):
                store.transact_now(lambda unit: unit.save(late.pop()), caller=call())

        with pytest.raises(Refused, match="ALREADY_EXISTS"):
            await Renaming(store).copy(call(), Copying(id="A/1", new_id="A/2"), validate_only=False)
        assert not late
        assert (await resources.get(ControlUnit, "A/2")).value == other


async def test_a_copy_to_a_unit_server_that_is_not_there_is_refused(
    renaming: Renaming, call: Call, unit: ControlUnit
) -> None:
    wanted = Copying(id="A/1", new_id="C/1", unit_server="nowhere")
    with pytest.raises(Refused, match="UNIT_SERVER_NOT_FOUND"):
        await renaming.copy(call(), wanted, validate_only=False)


async def test_a_trial_of_a_deletion_names_what_uses_it(resources: Resources, call: Call) -> None:
    template = Template(id="Supply", implementation="::Supply")
    await resources.create(call(), template, validate_only=False)
    for number in range(12):
        unit = ControlUnit(id=f"A/{number:02}", template="Supply")
        await resources.create(call(), unit, validate_only=False)
    with pytest.raises(Refused, match="and 2 more") as refused:
        await resources.delete(call(), Template, "Supply", etag="*", validate_only=True)
    assert refused.value.metadata["count"] == "12"
    assert refused.value.metadata["used_by"].split(", ") == [
        f"control_units/A/{number:02}" for number in range(10)
    ]
    await resources.create(call(), Agent(id="free"), validate_only=False)
    await resources.delete(call(), Agent, "free", etag="*", validate_only=True)
    assert (await resources.get(Agent, "free")).value.id == "free"


@pytest.fixture
async def followed(resources: Resources, call: Call, unit: ControlUnit) -> None:
    """`A/2` and `A/3` depend on `A/1`, which is on the list `night`; `A/10` has nothing to do
    with it."""
    plain = ControlUnit(id="A/2", template="Supply", requires=("A/1", "X/"), after=("B/1",))
    for each in (
        plain,
        replace(plain, id="A/3", requires=("B/1",), after=("A/1",)),
        ControlUnit(id="A/10", template="Supply"),
        replace(plain, id="A/4", requires=("A/10",), after=()),
        UnitList(id="night", control_units=("A/1", "A/10")),
        UnitList(id="day", control_units=("A/10",)),
    ):
        await resources.create(call(), each, validate_only=False)


async def test_who_depends_on_a_unit_follows_it_to_its_new_name(
    renaming: Renaming, resources: Resources, call: Call, followed: None
) -> None:
    caller = call(request_id="once")
    renamed = await rename(renaming, caller, "A/1", "B/1")
    assert await rename(renaming, caller, "A/1", "B/1") == renamed
    everything = Selection(kind=Kind.CONTROL_UNIT)
    shelf = shelf_of(ControlUnit)
    listing = (await resources.list(ControlUnit, everything, shelf, size=9, token="")).value
    there = {each.id: each for each in listing.items}
    assert (there["A/2"].requires, there["A/2"].after) == (("B/1", "X/"), ("B/1",))
    assert (there["A/3"].requires, there["A/3"].after) == (("B/1",), ("B/1",))
    assert there["A/4"].requires == ("A/10",)
    changed = {id for id, each in there.items() if each.meta.revision == renamed.meta.revision}
    assert changed == {"A/2", "A/3", "B/1"}
    assert (await resources.get(UnitList, "night")).value.control_units == ("A/10", "B/1")
    assert (await resources.get(UnitList, "day")).value.meta.generation == 1


async def test_those_who_followed_go_back_when_a_rename_is_undone(
    renaming: Renaming, resources: Resources, store: Store, call: Call, followed: None
) -> None:
    renamed = await rename(renaming, call(), "A/1", "B/1")
    await Undo(store).undo(call(), renamed.meta.revision, validate_only=False, skip_invalid=False)
    assert (await resources.get(ControlUnit, "A/2")).value.requires == ("A/1", "X/")
    assert (await resources.get(UnitList, "night")).value.control_units == ("A/1", "A/10")


async def test_a_rename_is_refused_by_what_stands_against_who_follows(
    renaming: Renaming, resources: Resources, call: Call, followed: None
) -> None:
    for each in (
        MachineMode(id="M", mode="BEAM", modes=("BEAM",)),
        Guard(
            id="beam",
            description="stored beam",
            machine_mode="M",
            modes=("BEAM",),
            forbids=(GuardedChange.EVERYTHING,),
            control_units=("A/2",),
        ),
    ):
        await resources.create(call(), each, validate_only=False)
    with pytest.raises(Refused, match="FORBIDDEN_BY_GUARD") as refused:
        await rename(renaming, call(), "A/1", "B/1")
    assert {each.subject for each in refused.value.fields} >= {"control_units/A/2"}
    assert (await resources.get(UnitList, "night")).value.control_units == ("A/1", "A/10")
