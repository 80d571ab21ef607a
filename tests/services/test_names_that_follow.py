"""Whoever names a control unit follows it to the name that it gets, whatever gives it that."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.services.intent.renaming import Renaming
from metadata_server.services.intent.resources import Resources
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

Call = Callable[..., Caller]
TEMPLATE = Template(id="Supply", implementation="::Supply", version=1)
FIRST = ControlUnit(id="A/1", template="Supply", template_version=1)
SECOND = replace(FIRST, id="A/2")
NIGHT = UnitList(id="night", control_units=("A/1", "A/2"))


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
