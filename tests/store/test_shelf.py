"""What is kept for pages is what the database says in that very reading."""

import random
from dataclasses import dataclass, field, replace

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Snapshot, Variable
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.resource import Resource
from metadata_server.store import schema
from metadata_server.store.intent.lists import resource_page
from metadata_server.store.intent.shelf import Shelf
from metadata_server.store.store import Store

IDS = [f"U{number}" for number in range(6)]
UNITS = Selection(kind=Kind.CONTROL_UNIT)


@dataclass
class Reader:
    """Reads lists of units through one shelf that makes text of them.

    Attributes:
        made: ids of the resources that something was made of.
    """

    store: Store
    caller: Caller
    most_bytes: int = 1_000_000
    made: list[str] = field(default_factory=list)
    shelf: Shelf[str] = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.make, len, most_bytes=self.most_bytes)

    def make(self, resource: Resource) -> str:
        self.made.append(resource.id)
        return told(resource)

    def save(self, *resources: Resource) -> list[Resource]:
        return self.store.transact_now(
            lambda unit: [unit.save(each) for each in resources], caller=self.caller
        ).value

    def page(self, selection: Selection, *, size: int, token: str = "") -> tuple[list[str], str]:
        found = self.store.read_now(
            lambda unit: resource_page(
                unit, ControlUnit, selection, self.shelf, size=size, token=token
            )
        ).value
        return list(found.items), found.next_page_token

    def texts(self, *, filter: str = "", id_prefix: str = "", as_of: str = "") -> list[str]:
        wanted = replace(UNITS, filter=filter, id_prefix=id_prefix, as_of=as_of)
        return self.page(wanted, size=100)[0]


def told(resource: Resource) -> str:
    assert isinstance(resource, ControlUnit)
    told_of = (resource.id, resource.description, resource.template, resource.unit_server)
    return " ".join(told_of)


@pytest.fixture
def reader(store: Store, caller: Caller) -> Reader:
    found = Reader(store, caller)
    found.save(Template(id="T", version=1), UnitServer(id="S"))
    found.save(*(ControlUnit(id=id, template="T", unit_server="S") for id in IDS))
    return found


def unit_of(reader: Reader, id: str) -> ControlUnit:
    return reader.store.read_now(lambda unit: unit.resources.get(ControlUnit, id)).value


@pytest.mark.parametrize("filter", ["", "template=T"])
def test_what_has_not_changed_is_made_once(reader: Reader, filter: str) -> None:
    first = reader.texts(filter=filter)
    assert first == [f"{id}  T S" for id in IDS]
    assert sorted(reader.made) == IDS
    assert reader.texts(filter=filter) == first
    assert reader.texts(id_prefix="U3") == ["U3  T S"]
    assert sorted(reader.made) == IDS


@pytest.mark.parametrize("filter", ["", "template=T"])
def test_what_has_changed_is_made_again(reader: Reader, filter: str) -> None:
    reader.texts(filter=filter)
    reader.made.clear()
    reader.save(replace(unit_of(reader, "U2"), description="other"))
    reader.save(replace(unit_of(reader, "U4"), id="U9"))
    told_now = ["U0  T S", "U1  T S", "U2 other T S", "U3  T S", "U5  T S", "U9  T S"]
    assert reader.texts(filter=filter) == told_now
    assert sorted(reader.made) == ["U2", "U9"]


def test_a_new_name_of_what_is_referred_to_is_told(reader: Reader) -> None:
    reader.texts()
    (template,) = reader.store.read_now(lambda unit: unit.resources.where(Template)).value
    (server,) = reader.store.read_now(lambda unit: unit.resources.where(UnitServer)).value
    reader.save(replace(template, id="New"))
    assert reader.texts()[0] == "U0  New S"
    reader.save(replace(server, id="Moved"))
    assert reader.texts()[0] == "U0  New Moved"
    reader.save(replace(unit_of(reader, "U0"), unit_server=""))
    assert reader.texts()[:2] == ["U0  New ", "U1  New Moved"]


def test_later_pages_and_the_past_are_as_they_were(reader: Reader) -> None:
    reader.texts()
    beginning = reader.store.read_now(lambda unit: unit.position.revision).value
    first, token = reader.page(UNITS, size=2)
    reader.save(replace(unit_of(reader, "U3"), description="later"))
    newest = reader.texts()
    assert newest[3] == "U3 later T S"
    then = [f"{id}  T S" for id in IDS]
    second, token = reader.page(UNITS, size=2, token=token)
    third, token = reader.page(UNITS, size=2, token=token)
    assert ([*first, *second, *third], token) == (then, "")
    assert reader.texts(as_of=str(beginning)) == then
    assert reader.texts(as_of=str(beginning), filter="template=T") == then
    assert reader.texts() == newest


def test_later_pages_are_made_of_what_is_kept(reader: Reader) -> None:
    _, token = reader.page(UNITS, size=3)
    reader.texts()
    reader.save(Variable(id="something-else"))
    reader.made.clear()
    reader.page(UNITS, size=3, token=token)
    assert reader.made == []


def test_a_restored_database_that_comes_to_the_same_revision_again_is_told(reader: Reader) -> None:
    """Revisions are given twice then, times are not."""
    reader.texts()
    unit = schema.control_unit
    with reader.store.database.writing.begin() as connection:
        other = {"body": '{"description":"restored"}', "update_time_us": unit.c.update_time_us + 9}
        connection.execute(unit.update().where(unit.c.id == "U1").values(**other))
    assert reader.texts()[1] == "U1 restored T S"


def test_the_longest_unasked_make_room(reader: Reader) -> None:
    small = Reader(reader.store, reader.caller, most_bytes=3 * len("U0  T S"))
    for prefix in ("U0", "U1", "U2", "U0", "U3", "U0"):
        small.texts(id_prefix=prefix)
    assert small.made == ["U0", "U1", "U2", "U3"]
    small.texts(id_prefix="U1")
    assert small.made == ["U0", "U1", "U2", "U3", "U1"]
    assert len(small.texts()) == len(IDS)
    assert small.shelf.bytes <= small.most_bytes


def test_what_changes_again_and_again_takes_its_room_once(reader: Reader) -> None:
    reader.texts()
    before = reader.shelf.bytes
    for number in range(9):
        reader.save(replace(unit_of(reader, "U1"), description=str(number)))
        reader.texts()
    assert reader.shelf.bytes == before + 1


def test_a_shelf_without_room_tells_the_same(reader: Reader, store: Store, caller: Caller) -> None:
    """Random changes, each list read with and without anything kept."""
    nothing_kept = Reader(store, caller, most_bytes=0)
    chance = random.Random(7)
    for step in range(40):
        id = chance.choice(IDS)
        reader.save(replace(unit_of(reader, id), description=str(step)))
        as_of = str(chance.randint(3, 3 + step)) if chance.random() < 0.5 else ""
        filter = chance.choice(["", "template=T", "-id=U3"])
        expected = nothing_kept.texts(as_of=as_of, filter=filter)
        assert reader.texts(as_of=as_of, filter=filter) == expected


def test_snapshots_are_found_by_their_marks(store: Store, caller: Caller) -> None:
    shelf = Shelf(lambda resource: resource.id, len)
    saved = [Snapshot(id="a", marks=("golden",)), Snapshot(id="b")]
    store.transact_now(lambda unit: [unit.save(each) for each in saved], caller=caller)

    def marked(mark: str) -> list[str]:
        selection = Selection(kind=Kind.SNAPSHOT, mark=mark)
        page = store.read_now(lambda unit: resource_page(unit, Snapshot, selection, shelf))
        return list(page.value.items)

    assert (marked("golden"), marked(""), marked("other")) == (["a"], ["a", "b"], [])
