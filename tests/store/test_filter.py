"""What lists give by a filter is what passes it in memory, on every database."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from metadata_server.domain.filter.asked import asked_of
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Policy
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.page import PageStart, Selection, SortValue, token_of
from metadata_server.domain.refused import Refused
from metadata_server.store.intent.lists import filtered_page
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.store.filtered_lists import (
    counted,
    expected,
    facts_of,
    listed,
    read_all,
)
from tests.store.filters import (
    CALLER,
    LABELS,
    TEXTS,
    change_some,
    declare_all,
    quoted,
    random_filter,
    report_some,
)

FILTERS = 60
PAGES = "metadata_server.store.filter.keys_of_page"


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20261121)


@pytest.fixture
def store(database: str, chance: random.Random) -> Iterator[Store]:
    with opened_store(database) as store:
        declare_all(store, chance, units=60)
        report_some(store, chance)
        yield store


@pytest.mark.parametrize("order", ["holds_since", "holds_since desc"])
def test_units_are_sorted_by_when_their_first_condition_began(store: Store, order: str) -> None:
    selection = Selection(kind=Kind.CONTROL_UNIT, order_by=order)
    subjects, now_us = store.read_now(partial(read_all, kind=selection.kind)).value
    key = asked_of(selection).sorting.key
    times = {time for each in subjects.values() for time in key.of(each)}
    assert {3, 7, 9} <= times, "what is stored, and by who keeps dying"
    assert len(times) > 4, "also by maintenance, and by a newer version of a template"
    assert listed(store, selection) == expected(subjects, selection, now_us)
    for filter in ("holds_since>2020-01-01", "holds_since<2020-01-01", "-holds_since<2020-01-01"):
        asked = replace(selection, filter=filter)
        assert listed(store, asked) == expected(subjects, asked, now_us) != [], filter


def test_the_longest_age_is_since_ever(store: Store) -> None:
    everything = Selection(kind=Kind.CONTROL_UNIT)
    for filter, wanted in (("changed<100000w", listed(store, everything)), ("since>100000w", [])):
        assert listed(store, replace(everything, filter=filter)) == wanted, filter


@pytest.mark.parametrize("few", [0, 5_000])
def test_units_are_listed_by_conditions_of_every_source(
    store: Store, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects, now_us = store.read_now(partial(read_all, kind=Kind.CONTROL_UNIT)).value
    monkeypatch.setattr(f"{PAGES}.FEW", few)
    never_stored = ("InMaintenance", "KeepsDying", "OutOfDate")
    for filter in ("condition:*", "condition:ConfigDrift,KeepsDying level>0", *never_stored):
        text = f"condition={filter}" if filter in never_stored else filter
        for order in ("id", "since desc", "holds_since desc"):
            selection = Selection(kind=Kind.CONTROL_UNIT, filter=text, order_by=order)
            wanted = expected(subjects, selection, now_us)
            assert listed(store, selection) == wanted != [], (text, order)


def test_units_without_a_server_are_in_no_maintenance_of_one(store: Store) -> None:
    rack = Maintenance(id="rack", unit_servers=("SIMPS_0",))
    store.transact_now(lambda unit: unit.save(rack), caller=CALLER)
    subjects, now_us = store.read_now(partial(read_all, kind=Kind.CONTROL_UNIT)).value
    assert any(not each.declared.unit_server for each in subjects.values())
    for filter in ("maintenance", "maintenance=false", "-maintenance", "-maintenance=false"):
        selection = Selection(kind=Kind.CONTROL_UNIT, filter=filter)
        assert listed(store, selection) == expected(subjects, selection, now_us) != [], filter


@pytest.mark.parametrize("word", [Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS])
def test_lists_of_units_are_what_passes_in_memory(
    store: Store, chance: random.Random, word: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects, now_us = store.read_now(partial(read_all, kind=word)).value
    facts = facts_of(subjects, word)
    keys = VOCABULARIES[word].keys.values()
    orders = [key.name for key in keys if key.is_sortable]
    for _ in range(FILTERS):
        order = f"{chance.choice(orders)}{chance.choice(('', ' desc'))}"
        monkeypatch.setattr(f"{PAGES}.FEW", chance.choice((0, 10, 5_000)))
        walks = chance.choice(((), (7,), (7, 30), (500, 5_000)))
        monkeypatch.setattr(f"{PAGES}.WALKS", walks)
        text = random_filter(chance, keys, facts)
        selection = Selection(kind=word, filter=text, order_by=order)
        wanted = expected(subjects, selection, now_us)
        assert listed(store, selection, size=chance.choice((5, 40))) == wanted, (text, order)
        if word is Kind.CONTROL_UNIT:
            assert counted(store, word, text) == len(wanted), text


def test_labels_are_found_whatever_is_in_their_names_and_texts(store: Store) -> None:
    subjects, now_us = store.read_now(partial(read_all, kind=Kind.CONTROL_UNIT)).value
    for name in LABELS:
        found = listed(store, Selection(kind=Kind.CONTROL_UNIT, filter=f'label."{name}"'))
        assert found, name
        for text in map(quoted, TEXTS):
            both = f'label."{name}"={text} OR label:{text}'
            for filter in (f'label."{name}"={text}', f'label."{name}":{text}', both):
                selection = Selection(kind=Kind.CONTROL_UNIT, filter=filter)
                assert listed(store, selection, size=60) == expected(subjects, selection, now_us), (
                    filter
                )


def test_lists_of_other_kinds_are_what_passes_in_memory(
    store: Store, chance: random.Random
) -> None:
    for kind in DECLARED:
        if kind is not Kind.CONTROL_UNIT:
            check_kind(store, chance, kind)


def check_kind(store: Store, chance: random.Random, kind: Kind) -> None:
    subjects, now_us = store.read_now(partial(read_all, kind=kind)).value
    facts = facts_of(subjects, kind)
    keys = VOCABULARIES[kind].keys.values()
    for _ in range(FILTERS // 5):
        text = random_filter(chance, keys, facts)
        selection = Selection(kind=kind, filter=text, order_by="id desc")
        assert listed(store, selection) == expected(subjects, selection, now_us), text
        assert counted(store, kind, text) == len(expected(subjects, selection, now_us)), text
    for order in (key.name for key in keys if key.is_sortable):
        for direction in ("", " desc"):
            selection = Selection(kind=kind, order_by=f"{order}{direction}")
            wanted = expected(subjects, selection, now_us)
            assert listed(store, selection, size=2) == wanted, selection


def test_units_stay_in_their_order_when_what_they_are_on_is_renamed(store: Store) -> None:
    begun = []
    for order in ("unit_server", "template desc"):
        selection = Selection(kind=Kind.CONTROL_UNIT, order_by=order)
        first = store.read_now(partial(filtered_page, selection=selection, size=9, token="")).value
        begun.append((selection, first, listed(store, selection)))

    def rename(unit: UnitOfWork) -> None:
        server = unit.resources.get(UnitServer, "SIMPS_0", lock=True)
        template = unit.resources.get(Template, "Motor", lock=True)
        unit.save(replace(server, id="AAA"))
        unit.save(replace(template, id="ZZZ"))

    then = store.read_now(lambda unit: unit.position).value
    store.transact_now(rename, caller=CALLER)
    for selection, first, wanted in begun:
        rest = listed(store, selection, token=first.next_page_token)
        assert [*(row.id for row in first.items), *rest] == wanted
        assert listed(store, replace(selection, as_of=str(then.revision))) == wanted
        assert listed(store, selection) != wanted


LATER = [
    ("state=RUNNING,STOPPED", "state"),
    ("state!=RUNNING label:archived OR zone=DAFNE", "since desc"),
    ("-label.section level>=0", "id desc"),
    ("template:Power* -unit_server=SIMPS_0", "changed"),
    ("overrides>0 condition:ConfigDrift,NotConverging", "id"),
    ("", "changed desc"),
    ("unit_server:* message:*", "since"),
    ("", "unit_server"),
    ("", "zone desc"),
    ("-label.section", "unit_server desc"),
    ("state!=RUNNING", "template desc"),
]


@pytest.mark.parametrize("most_changed", [5_000, 3])
def test_later_pages_are_as_of_the_first(
    store: Store, chance: random.Random, most_changed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metadata_server.store.filter.pages.MOST_CHANGED", most_changed)
    for kind in (Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS):
        begun = []
        subjects, now_us = store.read_now(partial(read_all, kind=kind)).value
        for text, order in LATER:
            selection = Selection(kind=kind, filter=text, order_by=order)
            wanted = expected(subjects, selection, now_us)
            page = partial(filtered_page, selection=selection, size=4, token="")
            begun.append((selection, wanted, store.read_now(page).value))
        position = store.read_now(lambda unit: unit.position).value
        change_some(store, chance)
        for selection, wanted, first in begun:
            found = [row.id for row in first.items] + (
                listed(store, selection, token=first.next_page_token)
                if first.next_page_token
                else []
            )
            assert found == wanted, selection
            past = replace(selection, as_of=str(position.revision))
            assert listed(store, past) == wanted, past


@pytest.mark.parametrize("comes_again", [False, True])
def test_what_units_were_on_is_listed_though_it_is_gone(store: Store, *, comes_again: bool) -> None:
    selection = Selection(
        kind=Kind.CONTROL_UNIT, filter="unit_server=SIMPS_0 OR template=Motor", order_by="changed"
    )
    page = partial(filtered_page, selection=selection, size=4, token="")
    first = store.read_now(page).value
    then = store.read_now(lambda unit: unit.position).value
    wanted = listed(store, selection)
    leave_for_good(store, comes_again=comes_again)
    later = listed(store, selection, token=first.next_page_token)
    assert [*(row.id for row in first.items), *later] == wanted
    assert listed(store, replace(selection, as_of=str(then.revision))) == wanted
    assert listed(store, selection) == []


def leave_for_good(store: Store, *, comes_again: bool) -> None:
    """All units leave a unit server and a template, which are deleted then.

    Args:
        comes_again: others are created under their names.
    """
    gone = UnitServer(id="SIMPS_0"), Template(id="Motor", version=1)

    def leave(unit: UnitOfWork) -> None:
        ids = [each.id for each in unit.resources.where(ControlUnit)]
        for each in unit.resources.find(ControlUnit, ids, lock=True).values():
            unit.save(replace(each, unit_server="c8:1f:66", template="PowerSupply"))

    def delete(unit: UnitOfWork) -> None:
        unit.delete(unit.resources.get(Policy, "reasons", lock=True))
        for each in gone:
            unit.delete(unit.resources.get(type(each), each.id, lock=True))

    def create(unit: UnitOfWork) -> None:
        for each in gone if comes_again else ():
            unit.save(each)

    for work in (leave, delete, create):
        store.transact_now(work, caller=CALLER)


def test_a_page_token_is_of_one_filter_and_one_order(store: Store) -> None:
    selection = Selection(kind=Kind.CONTROL_UNIT, filter="level>-9", order_by="changed")
    page = store.read_now(lambda unit: filtered_page(unit, selection, size=3, token="")).value
    for other in (replace(selection, filter="level>-8"), replace(selection, order_by="created")):
        with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
            listed(store, other, token=page.next_page_token)


@pytest.mark.parametrize(
    ("order", "value"), [("state", "é"), ("state", 5), ("changed", "RUNNING"), ("since", "5")]
)
def test_a_page_behind_what_no_unit_can_have_is_refused(
    store: Store, order: str, value: SortValue
) -> None:
    selection = Selection(kind=Kind.CONTROL_UNIT, order_by=order)
    position = store.read_now(lambda unit: unit.position).value
    forged = token_of(selection, PageStart(position, after="A", value=value, now_us=5))
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        listed(store, selection, token=forged)


def test_a_page_behind_a_unit_without_a_time_goes_on_from_it(store: Store) -> None:
    selection = Selection(kind=Kind.CONTROL_UNIT, order_by="changed")
    everything = listed(store, selection)
    position = store.read_now(lambda unit: unit.position).value
    before_all = token_of(selection, PageStart(position, after="A", now_us=5))
    assert listed(store, selection, token=before_all) == everything


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("holds_since<1h", "holds_since cannot be asked for here"),
        ("level=1 contact=LOST", "filter, column 9: contact cannot be asked for here, because as of 2"),
        ("condition=OutOfDate", "condition=OutOfDate cannot be asked for here"),
    ],
)  # fmt: skip
def test_what_history_does_not_tell_is_refused(store: Store, text: str, told: str) -> None:
    selection = Selection(kind=Kind.CONTROL_UNIT, filter=text, as_of="2")
    with pytest.raises(Refused, match=f"INVALID_FILTER: .*{told}"):
        listed(store, selection)
