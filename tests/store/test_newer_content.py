"""What a newer release has written survives what this one writes, or this one refuses."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.store import schema
from metadata_server.store.intent.template_versions import write_versions
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.newer import structure_of
from metadata_server.store.past.history import image_at
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

CALLER = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
FIRST = Attribute(name="current", direction=Direction.INPUT, type=ValueType.DOUBLE)


@pytest.fixture
def store(sqlite_database: str) -> Iterator[Store]:
    with opened_store(sqlite_database) as store:
        yield store


@pytest.fixture
def facility(store: Store) -> None:
    def work(unit: UnitOfWork) -> None:
        unit.save(Template(id="T1", version=1, attributes=(FIRST,)))
        unit.save(UnitServer(id="S1", launch=Launch(command="run")))
        unit.save(ControlUnit(id="A/1", template="T1", template_version=1, unit_server="S1"))

    store.transact_now(work, caller=CALLER)


def body_of(store: Store, type_: type[Resource], id: str) -> dict[str, Any]:
    table = LAYOUTS[type_.kind].table
    with store.database.reading.connect() as connection:
        found = connection.scalar(select(table.c.body).where(table.c.id == id))
    body: dict[str, Any] = json.loads(found or "")
    return body


def as_newer(store: Store, type_: type[Resource], id: str, body: dict[str, Any]) -> None:
    """Writes a body, and the last image of it, as a newer release would."""
    table = LAYOUTS[type_.kind].table
    with store.database.writing.connect() as connection:
        key = connection.scalar(select(table.c.key).where(table.c.id == id))
        connection.execute(table.update().where(table.c.key == key).values(body=json.dumps(body)))
        of_key = schema.history.c.key == key
        image = json.loads(connection.scalar(select(schema.history.c.image).where(of_key)) or "")
        changed = json.dumps(image | body)
        connection.execute(schema.history.update().where(of_key).values(image=changed))
        connection.commit()


def change(store: Store, type_: type[Resource], id: str, **changed: Any) -> Resource:
    def work(unit: UnitOfWork) -> Resource:
        return unit.save(replace(unit.resources.get(type_, id, lock=True), **changed))

    return store.transact_now(work, caller=CALLER).value


def last_image(store: Store, key: int) -> dict[str, Any]:
    query = select(schema.history.c.image).where(schema.history.c.key == key)
    newest = query.order_by(schema.history.c.revision.desc()).limit(1)
    with store.database.reading.connect() as connection:
        image: dict[str, Any] = json.loads(connection.scalar(newest) or "")
    return image


@pytest.mark.usefixtures("facility")
def test_a_field_that_is_not_known_is_kept_when_others_change(store: Store) -> None:
    as_newer(store, ControlUnit, "A/1", body_of(store, ControlUnit, "A/1") | {"rack": {"row": 7}})

    changed = change(store, ControlUnit, "A/1", description="moved")

    assert body_of(store, ControlUnit, "A/1") == {"description": "moved", "rack": {"row": 7}}
    assert last_image(store, changed.meta.key)["rack"] == {"row": 7}


@pytest.mark.usefixtures("facility")
def test_it_is_kept_inside_a_field_that_stays(store: Store) -> None:
    body = body_of(store, UnitServer, "S1")
    body["launch"]["niceness"] = 5
    as_newer(store, UnitServer, "S1", body)

    change(store, UnitServer, "S1", description="moved")

    assert body_of(store, UnitServer, "S1")["launch"]["niceness"] == 5


@pytest.mark.usefixtures("facility")
def test_a_field_that_holds_it_cannot_be_changed(store: Store) -> None:
    body = body_of(store, UnitServer, "S1")
    body["launch"]["niceness"] = 5
    as_newer(store, UnitServer, "S1", body)

    with pytest.raises(Refused, match="launch of unit_servers/S1") as refused:
        change(store, UnitServer, "S1", launch=Launch(command="walk"))

    assert refused.value.reason == "NEWER_CONTENT"
    assert body_of(store, UnitServer, "S1")["launch"]["command"] == "run"


@pytest.mark.usefixtures("facility")
def test_no_version_is_made_of_one_that_is_not_known_wholly(store: Store) -> None:
    body = body_of(store, Template, "T1")
    body["attributes"][0]["precision"] = 3
    as_newer(store, Template, "T1", body)

    def work(unit: UnitOfWork) -> None:
        template = unit.resources.get(Template, "T1", lock=True)
        draft = replace(template, version=2, version_state=VersionState.DRAFT)
        write_versions(unit, [draft], {1: VersionState.PUBLISHED})

    with pytest.raises(Refused, match="version 2 of templates/T1"):
        store.transact_now(work, caller=CALLER)


@pytest.mark.usefixtures("facility")
def test_an_image_is_read_as_far_as_it_is_known_and_not_written_again(store: Store) -> None:
    as_newer(store, ControlUnit, "A/1", body_of(store, ControlUnit, "A/1") | {"rack": "7"})
    before = store.read_now(lambda unit: unit.resources.get(ControlUnit, "A/1")).value.meta

    def read(unit: UnitOfWork, *, to_write: bool) -> Resource | None:
        return image_at(unit, Kind.CONTROL_UNIT, before.key, before.revision, to_write=to_write)

    assert store.read_now(lambda unit: read(unit, to_write=False)).value is not None
    with pytest.raises(Refused, match="rack of control unit A/1"):
        store.read_now(lambda unit: read(unit, to_write=True))


@pytest.mark.usefixtures("facility")
@pytest.mark.parametrize("step", ["9001", ""])
def test_a_word_that_cannot_be_read_is_refused_where_a_newer_release_was_at_work(
    store: Store, step: str
) -> None:
    with store.database.writing.connect() as connection:
        connection.execute(text("UPDATE control_unit SET desired_state = 'FLOATING'"))
        if step:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{step}'"))
        connection.commit()

    with pytest.raises(Refused if step else ValueError) as problem:
        store.read_now(lambda unit: unit.resources.get(ControlUnit, "A/1"))

    assert not step or "another server may" in str(problem.value)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_of_every_kind_it_is_known_what_it_is_made_of(kind: Kind) -> None:
    structure = structure_of(LAYOUTS[kind].type)

    assert {"id", "description", "labels"} <= structure.names
    assert not structure.knows({"description": "", "rack": 7})
