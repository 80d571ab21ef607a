"""Names over time: what is renamed, moved, deleted and restored keeps its key and its past."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy import select

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Variable
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import Kind
from metadata_server.store import schema
from metadata_server.store.past.history import image_at, images_between, key_at
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

Change = Callable[[ControlUnit], ControlUnit]


@pytest.fixture
def unit(store: Store, caller: Caller) -> ControlUnit:
    """One control unit, and where else it could be."""

    def work(work: UnitOfWork) -> ControlUnit:
        for server in ("S1", "S2"):
            work.save(UnitServer(id=server))
        for template in ("T1", "T2"):
            work.save(Template(id=template, version=1))
        return cast("ControlUnit", work.save(declared("A/1")))

    return store.transact_now(work, caller=caller).value


def declared(id: str) -> ControlUnit:
    return ControlUnit(id=id, template="T1", template_version=1, unit_server="S1")


def change(store: Store, caller: Caller, id: str, change: Change) -> ControlUnit:
    def work(work: UnitOfWork) -> ControlUnit:
        before = work.resources.get(ControlUnit, id, lock=True)
        return cast("ControlUnit", work.save(change(before)))

    return store.transact_now(work, caller=caller).value


def delete(store: Store, caller: Caller, id: str) -> None:
    def work(work: UnitOfWork) -> None:
        work.delete(work.resources.get(ControlUnit, id, lock=True))

    store.transact_now(work, caller=caller)


def restore(store: Store, caller: Caller, *gone: ControlUnit) -> list[ControlUnit]:
    answer = store.transact_now(lambda work: work.restore(gone), caller=caller)
    return [cast("ControlUnit", each) for each in answer.value]


def spans(store: Store, key: int) -> list[tuple[str, int, int | None, str, str]]:
    """The spans of a key: id, from, to, and ids of its template and unit server."""

    def work(work: UnitOfWork) -> list[tuple[str, int, int | None, str, str]]:
        query = select(schema.name).where(schema.name.c.key == key)
        rows = work.connection.execute(query.order_by(schema.name.c.from_revision)).all()
        return [
            (
                row.id,
                row.from_revision,
                row.to_revision,
                work.keys.id_of(Kind.TEMPLATE, row.template_key),
                row.unit_server_key and work.keys.id_of(Kind.UNIT_SERVER, row.unit_server_key),
            )
            for row in rows
        ]

    return store.read_now(work).value


def test_a_span_ends_when_the_id_or_a_reference_changes(
    store: Store, caller: Caller, unit: ControlUnit
) -> None:
    change(store, caller, "A/1", lambda u: replace(u, description="the same span"))
    change(store, caller, "A/1", lambda u: replace(u, unit_server=""))
    change(store, caller, "A/1", lambda u: replace(u, id="B/1", template="T2", unit_server="S2"))
    delete(store, caller, "B/1")
    assert spans(store, unit.meta.key) == [
        ("A/1", 1, 3, "T1", "S1"),
        ("A/1", 3, 4, "T1", None),
        ("B/1", 4, 5, "T2", "S2"),
    ]


def test_spans_are_right_for_rows_that_were_not_locked(
    store: Store, caller: Caller, unit: ControlUnit
) -> None:
    store.transact_now(lambda work: work.save(replace(unit, description="x")), caller=caller)
    moved = replace(unit, meta=replace(unit.meta, generation=2), unit_server="S2")
    store.transact_now(lambda work: work.save(moved), caller=caller)
    assert [span[1:] for span in spans(store, unit.meta.key)] == [
        (1, 3, "T1", "S1"),
        (3, None, "T1", "S2"),
    ]


def test_a_renamed_unit_is_found_by_the_name_of_the_time(
    store: Store, caller: Caller, unit: ControlUnit
) -> None:
    renamed = change(store, caller, "A/1", lambda u: replace(u, id="B/1"))
    key = unit.meta.key
    assert (renamed.meta.key, renamed.meta.generation) == (key, 2)

    def work(work: UnitOfWork) -> None:
        named = [key_at(work.connection, Kind.CONTROL_UNIT, id, 1) for id in ("A/1", "B/1")]
        assert named == [key, None]
        named = [key_at(work.connection, Kind.CONTROL_UNIT, id, 2) for id in ("A/1", "B/1")]
        assert named == [None, key]
        assert work.resources.find(ControlUnit, ["A/1", "B/1"]).keys() == {"B/1"}
        before = image_at(work, Kind.CONTROL_UNIT, key, 1)
        assert before is not None
        assert before.id == "A/1"

    store.read_now(work)


def test_a_rename_is_known_within_its_transaction(
    store: Store, caller: Caller, unit: ControlUnit
) -> None:
    def work(work: UnitOfWork) -> None:
        work.save(replace(work.resources.get(ControlUnit, "A/1", lock=True), id="B/1"))
        assert work.keys.key_of(Kind.CONTROL_UNIT, "B/1") == unit.meta.key
        work.save(declared("A/1"))
        assert work.keys.key_of(Kind.CONTROL_UNIT, "A/1") != unit.meta.key

    store.transact_now(work, caller=caller)
    found = store.read_now(lambda work: work.resources.where(ControlUnit)).value
    assert [each.id for each in found] == ["A/1", "B/1"]
    assert found[1].meta.key == unit.meta.key


def test_units_swap_their_names_in_one_change(
    store: Store, caller: Caller, unit: ControlUnit
) -> None:
    other = store.transact_now(lambda work: work.save(declared("B/1")), caller=caller).value

    def swap(work: UnitOfWork) -> None:
        found = work.resources.find(ControlUnit, ["A/1", "B/1"], lock=True)
        work.save(replace(found["A/1"], id="B/1"))
        work.save(replace(found["B/1"], id="A/1"))

    store.transact_now(swap, caller=caller)
    found = store.read_now(lambda work: work.resources.find(ControlUnit, ["A/1", "B/1"])).value
    assert found["A/1"].meta.key == other.meta.key
    assert found["B/1"].meta.key == unit.meta.key


def test_a_restored_unit_goes_on_under_its_key(
    store: Store, caller: Caller, unit: ControlUnit
) -> None:
    last = change(store, caller, "A/1", lambda u: replace(u, description="last"))
    delete(store, caller, "A/1")
    (back,) = restore(store, caller, replace(unit, id="A/2"))
    assert back.meta.key == unit.meta.key
    assert back.meta.generation == last.meta.generation + 1
    assert back.meta.create_time_us == unit.meta.create_time_us
    found = store.read_now(lambda work: work.resources.get(ControlUnit, "A/2")).value
    assert (found, found.meta) == (back, back.meta)
    images = store.read_now(lambda work: images_between(work, unit.meta.key, 0, 100)).value
    assert [image.action for image in images] == ["CREATED", "UPDATED", "DELETED", "CREATED"]
    assert [span[:3] for span in spans(store, unit.meta.key)] == [("A/1", 1, 3), ("A/2", 4, None)]


def test_a_thousand_are_renamed_deleted_and_restored_at_once(store: Store, caller: Caller) -> None:
    def create(work: UnitOfWork) -> None:
        for number in range(1_000):
            work.save(Variable(id=f"old/{number}", value=str(number)))

    def rename(work: UnitOfWork) -> None:
        ids = [f"old/{number}" for number in range(1_000)]
        for each in work.resources.find(Variable, ids, lock=True).values():
            work.save(replace(each, id=f"new/{each.value}"))

    def delete_all(work: UnitOfWork) -> list[Variable]:
        ids = [f"new/{number}" for number in range(1_000)]
        found = list(work.resources.find(Variable, ids, lock=True).values())
        for each in found:
            work.delete(each)
        return found

    store.transact_now(create, caller=caller)
    store.transact_now(rename, caller=caller)
    gone = store.transact_now(delete_all, caller=caller).value
    store.transact_now(lambda work: work.restore(gone), caller=caller)
    found = store.read_now(lambda work: work.resources.where(Variable)).value
    assert sorted(found, key=lambda v: v.id) == sorted(gone, key=lambda v: v.id)
    assert {each.meta.generation for each in found} == {3}
    assert {each.meta.key for each in found} == {each.meta.key for each in gone}


def test_what_the_history_does_not_know_is_not_restored(store: Store, caller: Caller) -> None:
    unknown = Agent(id="a", meta=replace(Agent(id="a").meta, key=7))
    with pytest.raises(ValueError, match="agents/a"):
        store.transact_now(lambda work: work.restore([unknown]), caller=caller)
