"""Lists as of a revision: all pages show what the first one saw."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Listing, PageStart, Selection, token_of
from metadata_server.domain.refused import Refused
from metadata_server.store.intent.lists import resource_page
from metadata_server.store.intent.shelf import Shelf
from metadata_server.store.past.history import image_at, images_between
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.shelves import shelf_of

CALLER = Caller(principal=Principal("tester"), method="Tests.Change")
UNITS = ["DAFNE/A", "DAFNE/B", "DAFNE/B/1", "DAFNE/C_1", "DAFNE/C-1", "BTF", "BTF/DAQ", "BTF.2/x"]
SERVERS = ["S1", "S2"]
TEMPLATES = ["T1", "T2"]
ALL_UNITS = Selection(kind=Kind.CONTROL_UNIT)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with opened_store(database) as store:
        yield store


@dataclass
class Facility:
    """What the store should hold, at each of its revisions."""

    store: Store
    units: dict[str, ControlUnit] = field(default_factory=dict)
    past: dict[Position, dict[str, ControlUnit]] = field(default_factory=dict)
    shelf: Shelf[ControlUnit] = field(default_factory=lambda: shelf_of(ControlUnit))

    def declare_the_rest(self) -> None:
        def work(unit: UnitOfWork) -> None:
            unit.save(Agent(id="A1"))
            for server in SERVERS:
                launch = Launch(agent="A1") if server == "S1" else None
                unit.save(UnitServer(id=server, launch=launch))
            for template in TEMPLATES:
                unit.save(Template(id=template, version=1))

        self.store.transact_now(work, caller=CALLER)

    def save(self, *units: ControlUnit) -> Position:
        def work(unit: UnitOfWork) -> list[ControlUnit]:
            return [cast("ControlUnit", unit.save(each)) for each in units]

        answer = self.store.transact_now(work, caller=CALLER)
        self.units |= {saved.id: saved for saved in answer.value}
        return self.remember(answer.position)

    def delete(self, id: str) -> Position:
        answer = self.store.transact_now(
            lambda unit: unit.delete(unit.resources.get(ControlUnit, id)), caller=CALLER
        )
        del self.units[id]
        return self.remember(answer.position)

    def rename(self, id: str, to: str) -> Position:
        renamed = replace(self.units.pop(id), id=to)
        return self.save(renamed)

    def restore(self, gone: ControlUnit) -> Position:
        answer = self.store.transact_now(lambda unit: unit.restore([gone]), caller=CALLER)
        (back,) = answer.value
        self.units[back.id] = cast("ControlUnit", back)
        return self.remember(answer.position)

    def remember(self, position: Position) -> Position:
        self.past[position] = dict(self.units)
        return position

    def page(self, selection: Selection, *, size: int, token: str) -> Listing[ControlUnit]:
        return self.store.read_now(
            lambda unit: resource_page(
                unit, ControlUnit, selection, self.shelf, size=size, token=token
            )
        ).value

    def pages(self, selection: Selection, position: Position, *, size: int) -> list[ControlUnit]:
        """All pages of a list whose first page was read at a position."""
        token = token_of(selection, PageStart(position))
        found: list[ControlUnit] = []
        while token:
            listing = self.page(selection, size=size, token=token)
            assert listing.position == position
            assert len(listing.items) == size or not listing.next_page_token
            found += listing.items
            token = listing.next_page_token
        return found

    def ids(self, selection: Selection, position: Position) -> list[str]:
        return [unit.id for unit in self.pages(selection, position, size=2)]


@pytest.fixture
def facility(store: Store) -> Facility:
    facility = Facility(store)
    facility.declare_the_rest()
    return facility


def unit_of(
    id: str, *, server: str = "S1", template: str = "T1", description: str = ""
) -> ControlUnit:
    return ControlUnit(
        id=id,
        unit_server=server,
        template=template,
        template_version=1,
        description=description,
    )


def live_through(facility: Facility, *, seed: int, steps: int) -> None:
    """Creates, changes, moves, renames, deletes and restores units at random."""
    chance = random.Random(seed)
    gone: list[ControlUnit] = []
    for step in range(steps):
        name, other = chance.sample(UNITS, 2)
        present = facility.units.get(name)
        server, template = chance.choice([*SERVERS, ""]), chance.choice(TEMPLATES)
        dice = chance.random()
        if present is None and gone and dice < 0.4:
            facility.restore(replace(gone.pop(), id=name))
        elif present is None:
            facility.save(unit_of(name, server=server, template=template))
        elif dice < 0.2:
            gone.append(present)
            facility.delete(name)
        elif dice < 0.5 and other not in facility.units:
            facility.rename(name, other)
        else:
            changed = replace(
                present, unit_server=server, template=template, description=f"step {step}"
            )
            facility.save(changed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pages_show_what_was_there_at_the_first(facility: Facility, seed: int) -> None:
    live_through(facility, seed=seed, steps=40)
    for position, units in facility.past.items():
        found = facility.pages(ALL_UNITS, position, size=3)
        assert found == [units[name] for name in sorted(units)]
        assert [unit.meta for unit in found] == [units[name].meta for name in sorted(units)]


def selected(units: dict[str, ControlUnit], selection: Selection) -> list[str]:
    return sorted(
        unit.id
        for unit in units.values()
        if unit.id.startswith(selection.id_prefix)
        and selection.unit_server in {"", unit.unit_server}
        and selection.template in {"", unit.template}
        and selection.zone in {"", unit.zone}
    )


FILTERS = [
    Selection(kind=Kind.CONTROL_UNIT, id_prefix="DAFNE/B"),
    Selection(kind=Kind.CONTROL_UNIT, id_prefix="DAFNE/C_"),
    Selection(kind=Kind.CONTROL_UNIT, id_prefix="BTF"),
    Selection(kind=Kind.CONTROL_UNIT, unit_server="S1"),
    Selection(kind=Kind.CONTROL_UNIT, template="T2"),
    Selection(kind=Kind.CONTROL_UNIT, zone="BTF"),
    Selection(kind=Kind.CONTROL_UNIT, zone="DAFNE", template="T1", unit_server="S2"),
]


def test_filters_hold_for_what_was_there_then(facility: Facility) -> None:
    live_through(facility, seed=7, steps=60)
    for selection in FILTERS:
        for position, units in facility.past.items():
            assert facility.ids(selection, position) == selected(units, selection), selection


def test_a_list_may_begin_at_a_moment_of_the_past(facility: Facility) -> None:
    live_through(facility, seed=11, steps=30)
    for position, units in facility.past.items():
        as_of = replace(ALL_UNITS, as_of=str(position.revision))
        listing = facility.page(as_of, size=2, token="")
        assert listing.position == position
        found = list(listing.items)
        while listing.next_page_token:
            listing = facility.page(as_of, size=2, token=listing.next_page_token)
            found += listing.items
        assert found == [units[name] for name in sorted(units)]


def test_a_time_is_the_last_revision_up_to_it(facility: Facility) -> None:
    facility.save(unit_of("DAFNE/A"))
    at_us = facility.units["DAFNE/A"].meta.update_time_us
    facility.save(unit_of("DAFNE/B"))
    for shift_us, names in ((-1, []), (0, ["DAFNE/A"])):
        time = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at_us + shift_us)
        listing = facility.page(replace(ALL_UNITS, as_of=time.isoformat()), size=9, token="")
        assert [unit.id for unit in listing.items] == names


def test_a_token_goes_on_only_with_the_moment_it_began_with(facility: Facility) -> None:
    position = facility.save(*map(unit_of, UNITS))
    as_of = replace(ALL_UNITS, as_of=str(position.revision))
    token = facility.page(as_of, size=1, token="").next_page_token
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        facility.page(ALL_UNITS, size=1, token=token)


def test_the_first_page_is_as_of_now(facility: Facility) -> None:
    position = facility.save(*map(unit_of, UNITS))
    listing = facility.page(ALL_UNITS, size=3, token="")
    assert [unit.id for unit in listing.items] == sorted(UNITS)[:3]
    assert listing.position == position
    facility.delete(sorted(UNITS)[4])
    facility.save(unit_of("BTF/new"))
    following = facility.page(ALL_UNITS, size=100, token=listing.next_page_token)
    assert [unit.id for unit in following.items] == sorted(UNITS)[3:]
    assert not following.next_page_token


def test_a_unit_created_anew_is_seen_as_each_of_its_lives(facility: Facility) -> None:
    first = facility.save(unit_of("DAFNE/A", description="first"))
    facility.delete("DAFNE/A")
    second = facility.save(unit_of("DAFNE/A", description="second"))
    facility.save(unit_of("DAFNE/B"))
    seen = [facility.pages(ALL_UNITS, at, size=5)[0].description for at in (first, second)]
    assert seen == ["first", "second"]


def test_a_prefix_that_no_id_can_have_selects_nothing(facility: Facility) -> None:
    position = facility.save(*map(unit_of, UNITS))
    for prefix in ("%", "a b", "é", "\x00", "DAFNE%"):
        assert facility.ids(Selection(kind=Kind.CONTROL_UNIT, id_prefix=prefix), position) == []


def test_unit_servers_are_found_by_their_agent(facility: Facility) -> None:
    selection = Selection(kind=Kind.UNIT_SERVER, agent="A1")
    listing = facility.store.read_now(
        lambda unit: resource_page(unit, UnitServer, selection, shelf_of(UnitServer))
    ).value
    assert [server.id for server in listing.items] == ["S1"]


def test_a_token_of_another_list_is_refused(facility: Facility) -> None:
    facility.save(*map(unit_of, UNITS))
    token = facility.page(ALL_UNITS, size=1, token="").next_page_token
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        facility.page(replace(ALL_UNITS, zone="DAFNE"), size=1, token=token)


def test_a_token_of_another_history_is_refused(facility: Facility) -> None:
    position = facility.save(unit_of("DAFNE/A"))
    for other in (
        replace(position, epoch=2),
        replace(position, store_id="another"),
        replace(position, revision=1_000_000),
    ):
        with pytest.raises(Refused, match="HISTORY_RESET"):
            facility.page(ALL_UNITS, size=1, token=token_of(ALL_UNITS, PageStart(other)))


def test_images_tell_what_became_of_a_resource(facility: Facility) -> None:
    first = facility.save(unit_of("DAFNE/A", server="S2"))
    created = facility.units["DAFNE/A"]
    second = facility.save(replace(created, desired_state=State.RUNNING))
    gone = facility.delete("DAFNE/A")

    def work(unit: UnitOfWork) -> None:
        key, kind = created.meta.key, Kind.CONTROL_UNIT
        assert image_at(unit, kind, key, first.revision - 1) is None
        assert image_at(unit, kind, key, first.revision) == created
        changed = image_at(unit, kind, key, second.revision)
        assert isinstance(changed, ControlUnit)
        assert changed.desired_state is State.RUNNING
        assert image_at(unit, kind, key, gone.revision) is None
        between = images_between(unit, key, first.revision, gone.revision)
        assert [image.revision for image in between] == [second.revision, gone.revision]

    facility.store.read_now(work)
