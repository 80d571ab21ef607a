"""Whoever names a control unit follows it to the name that it gets, whatever gives it that."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import Item, ItemAction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.renaming import Copying, Renaming
from metadata_server.services.intent.resources import Resources
from metadata_server.services.past.going_back import WentBack
from metadata_server.services.past.revert import Revert
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.test_undo import Facility, actions
from tests.stages.opened_store import opened_store

Call = Callable[..., Caller]
TEMPLATE = Template(id="Supply", implementation="::Supply", version=1)
FIRST = ControlUnit(id="A/1", template="Supply", template_version=1)
SECOND = replace(FIRST, id="A/2")
NIGHT = UnitList(id="night", control_units=("A/1", "A/2"))


@pytest.fixture
async def facility(store: Store, call: Call) -> Facility:
    """`A/1` and `A/2`, of which nobody says anything yet."""
    found = Facility(store, call)
    await found.apply(TEMPLATE, FIRST, SECOND)
    return found


async def rename(facility: Facility, id: str, new_id: str, call: Call) -> int:
    renaming = Renaming(facility.store)
    answer = await renaming.rename(call(), id, new_id, etag="*", validate_only=False)
    return answer.position.revision


async def on_night(facility: Facility) -> tuple[str, ...]:
    return (await Resources(facility.store).get(UnitList, "night")).value.control_units


async def test_who_came_to_name_a_unit_since_it_was_renamed_follows_it_back(
    facility: Facility, call: Call
) -> None:
    renamed = await rename(facility, "A/1", "B/1", call)
    night = replace(NIGHT, control_units=("A/2", "B/1"))
    await facility.apply(replace(SECOND, requires=("B/1",)), night)
    went = await facility.undo(renamed)
    names = ["control_units/A/1", "control_units/A/2", "unit_lists/night"]
    assert actions(went) == [(name, ItemAction.CHANGED) for name in names]
    assert (await facility.unit("A/2")).requires == ("A/1",)
    assert await on_night(facility) == ("A/1", "A/2")
    await facility.undo(went.position.revision)
    assert (await facility.unit("A/2")).requires == ("B/1",)
    assert await on_night(facility) == ("A/2", "B/1")


async def test_all_that_names_a_unit_follows_it_back_and_nothing_else(
    facility: Facility, call: Call
) -> None:
    """What named it before, and has come to name it once more; what named nothing before."""
    third = replace(FIRST, id="A/3", requires=("A/1",), after=("B/1",))
    await facility.apply(replace(SECOND, requires=("A/1",)), third)
    renamed = await rename(facility, "A/1", "B/1", call)
    await facility.apply(replace(SECOND, requires=("B/1",), after=("X/", "B/1")))
    await facility.undo(renamed)
    second = await facility.unit("A/2")
    assert (second.requires, second.after) == (("A/1",), ("X/", "A/1"))
    assert await facility.unit("A/3") == third


async def test_an_undone_edit_names_units_as_they_are_called_by_now(
    facility: Facility, call: Call
) -> None:
    await facility.apply(replace(SECOND, requires=("A/1", "gone")), NIGHT)
    away = await facility.apply(SECOND, Item.removal(Kind.UNIT_LIST, "night"))
    come = await facility.apply(replace(SECOND, after=("A/1",)))
    await rename(facility, "A/1", "B/1", call)
    assert (await facility.unit("A/2")).after == ("B/1",)
    await facility.undo(come)
    assert (await facility.unit("A/2")).after == ()
    await facility.undo(away)
    assert (await facility.unit("A/2")).requires == ("B/1", "gone")
    assert await on_night(facility) == ("A/2", "B/1")


async def test_what_is_reverted_names_units_as_they_are_called_by_now(
    facility: Facility, call: Call
) -> None:
    then = await facility.apply(replace(SECOND, requires=("A/1",)), NIGHT)
    await facility.apply(SECOND, replace(NIGHT, control_units=("A/2",)))
    await rename(facility, "A/1", "B/1", call)
    for kind, id in ((Kind.CONTROL_UNIT, "A/2"), (Kind.UNIT_LIST, "night")):
        await Revert(facility.store).revert(
            call(), kind, id, as_of=moment_of(str(then)), etag="*", validate_only=False
        )
    assert (await facility.unit("A/2")).requires == ("B/1",)
    assert await on_night(facility) == ("A/2", "B/1")


async def test_a_copy_of_the_past_names_units_as_they_are_called_by_now(
    facility: Facility, call: Call
) -> None:
    then = await facility.apply(replace(SECOND, requires=("A/1",)))
    await rename(facility, "A/1", "B/1", call)
    wanted = Copying(id="A/2", new_id="A/3", as_of=str(then))
    await Renaming(facility.store).copy(call(), wanted, validate_only=False)
    assert (await facility.unit("A/3")).requires == ("B/1",)


async def test_nobody_follows_to_a_name_that_a_unit_does_not_get_back(
    facility: Facility, call: Call
) -> None:
    third = replace(FIRST, id="A/3")
    await facility.apply(replace(SECOND, requires=("A/1",)))
    renamed = await rename(facility, "A/1", "B/1", call)
    await facility.apply(replace(third, requires=("B/1",)), FIRST)
    with pytest.raises(Refused, match="ALREADY_EXISTS"):
        await facility.undo(renamed)
    went = await facility.undo(renamed, skip_invalid=True)
    assert went.count == 0
    assert [each.name for each in rejected(went)] == ["control_units/B/1"]
    for id in ("A/2", "A/3"):
        assert (await facility.unit(id)).requires == ("B/1",)


async def test_a_unit_does_not_get_its_name_back_where_somebody_may_not_follow(
    facility: Facility, call: Call
) -> None:
    renamed = await rename(facility, "A/1", "B/1", call)
    guard = Guard(
        id="beam",
        description="stored beam",
        machine_mode="M",
        modes=("BEAM",),
        forbids=(GuardedChange.EVERYTHING,),
        control_units=("A/2",),
    )
    mode = MachineMode(id="M", mode="BEAM", modes=("BEAM",))
    await facility.apply(replace(SECOND, requires=("B/1",)))
    await facility.apply(mode, guard)
    with pytest.raises(Refused, match="FORBIDDEN_BY_GUARD") as caught:
        await facility.undo(renamed)
    assert {each.subject for each in caught.value.fields} == {"control_units/A/2"}
    went = await facility.undo(renamed, skip_invalid=True)
    assert (went.count, len(rejected(went))) == (0, 1)
    assert (await facility.unit("B/1")).id == "B/1"


def rejected(went: WentBack) -> list[Item]:
    return [each.item for each in went.decisions if each.action is ItemAction.REJECTED]


@pytest.fixture
def on_mariadb(mariadb_database: str) -> Iterator[Store]:
    """On SQLite there is one lock for all."""
    with opened_store(mariadb_database) as store:
        yield store


async def test_who_comes_to_name_a_unit_while_it_is_renamed_follows_it(
    on_mariadb: Store, call: Call
) -> None:
    store, resources = on_mariadb, Resources(on_mariadb)
    for each in (TEMPLATE, FIRST, SECOND):
        await resources.create(call(), each, validate_only=False)
    late: list[UnitList] = [NIGHT]

    def come(unit: UnitOfWork) -> None:
        second = unit.resources.get(ControlUnit, "A/2", lock=True)
        unit.save(replace(second, requires=("A/1",)))
        unit.save(late.pop())

    @event.listens_for(store.database.writing, "after_cursor_execute")
    def followers_are_read(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if late and "unit_list" in statement and "LIKE" in statement:
            store.transact_now(come, caller=call())

    await Renaming(store).rename(call(), "A/1", "B/1", etag="*", validate_only=False)
    assert not late
    assert (await resources.get(ControlUnit, "A/2")).value.requires == ("B/1",)
    assert (await resources.get(UnitList, "night")).value.control_units == ("A/2", "B/1")


async def test_what_goes_back_names_a_unit_by_the_name_that_it_gets_meanwhile(
    on_mariadb: Store, call: Call
) -> None:
    facility = Facility(on_mariadb, call)
    then = await facility.apply(TEMPLATE, FIRST, replace(SECOND, requires=("A/1",)))
    await facility.apply(SECOND)
    to_come = ["the names of then", "the names of now"]

    def get_another_name(unit: UnitOfWork) -> None:
        unit.save(replace(unit.resources.get(ControlUnit, "A/1", lock=True), id="B/1"))

    @event.listens_for(on_mariadb.database.writing, "after_cursor_execute")
    def names_are_read(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if to_come and "to_revision IS NULL" in statement:
            to_come.pop()
            if not to_come:
                on_mariadb.transact_now(get_another_name, caller=call())

    await Revert(on_mariadb).revert(
        call(), Kind.CONTROL_UNIT, "A/2", as_of=moment_of(str(then)), etag="*", validate_only=False
    )
    assert not to_come
    assert (await facility.unit("A/2")).requires == ("B/1",)
