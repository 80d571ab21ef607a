"""Lists of things that are no resources are what passes in memory, in every order, on every
database."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from metadata_server.domain.change_set import ChangeSelection, ChangeSetSelection
from metadata_server.domain.deliveries.delivery import DeliveryState, DeliveryType
from metadata_server.domain.filter.asked import rank
from metadata_server.domain.filter.asked_list import AskedList, ListPage
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.filter.vocabulary import (
    INSTANTIATION,
    OPERATION_STEP,
    SIGHTING,
    VOCABULARIES,
    WEBHOOK_DELIVERY,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.sighting import Sighting
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.refused import Refused
from metadata_server.store import schema
from metadata_server.store.deliveries.webhook_deliveries import delivery_page
from metadata_server.store.deliveries.webhook_tables import webhook_delivery
from metadata_server.store.filter.record_sources import (
    DELIVERIES,
    INSTANTIATIONS,
    SIGHTINGS,
    STEPS,
)
from metadata_server.store.life.life_lists import LifeFilter, life_page
from metadata_server.store.life.sightings import sightings
from metadata_server.store.orchestration.operation_steps import insert_steps, step_page
from metadata_server.store.past.change_lists import change_page
from metadata_server.store.past.change_sets import change_set_page
from metadata_server.store.past.tallies import Tallies
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_rows
from tests.stages.opened_store import opened_store
from tests.store.filters import (
    CALLER,
    TEXTS,
    change_some,
    declare_all,
    random_filter,
    report_some,
)

FILTERS = 40
THINGS = 40
OPERATION = 77
WEBHOOK = 78
TIMES_US = (0, 5, 5, 1_000_000, 1_700_000_000_000_000)


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20261122)


@pytest.fixture
def store(database: str, chance: random.Random) -> Iterator[Store]:
    with opened_store(database) as store:
        declare_all(store, chance, units=30)
        report_some(store, chance)
        store.transact_now(lambda unit: record_all(unit, chance), caller=CALLER)
        yield store


def record_all(unit: UnitOfWork, chance: random.Random) -> None:
    unit.claim()
    insert_steps(unit, OPERATION, [random_step(chance, number) for number in range(THINGS)])
    insert_rows(
        unit.connection, schema.sighting, [random_sighting(chance, n) for n in range(THINGS)]
    )
    insert_rows(
        unit.connection, webhook_delivery, [random_delivery(chance, n) for n in range(THINGS)]
    )
    declared = unit.resources.where(ControlUnit)
    lives = [
        {
            "session": f"session-{number}",
            "control_unit_key": each.meta.key,
            "begin_time_us": chance.choice(TIMES_US[1:]),
            "end_time_us": chance.choice((None, *TIMES_US[1:])),
            "end_reason": chance.choice((None, *(each.value for each in EndReason))),
            "template_key": unit.keys.key_of(Kind.TEMPLATE, each.template),
            "template_version": chance.randint(1, 3),
            "fingerprint": "",
        }
        for each in declared
        for number in chance.sample(range(3), 2)
    ]
    insert_rows(unit.connection, schema.instantiation, lives)
    unit.delete(declared[0])


def random_step(chance: random.Random, number: int) -> Step:
    return Step(
        position=number,
        unit_key=number,
        id=f"{chance.choice(('DAFNE/', 'BTF/', ''))}U{number}",
        state=chance.choice(list(StepState)),
        minor_state=chance.choice(list(StepMinor)),
        message=chance.choice(TEXTS),
        is_way_back=chance.random() < 0.3,
        target=chance.choice(list(State)),
        level=chance.randint(-1, 2),
        wave=chance.randint(-1, 2),
        unit_server=chance.choice(("", "SIMPS_0", "BTF/CORRECTORS")),
        found=chance.choice(list(State)),
        attempts=chance.randint(0, 2),
        start_time_us=chance.choice(TIMES_US),
        end_time_us=chance.choice(TIMES_US),
    )


def random_sighting(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "unit_server": f"{chance.choice(('BTF/', ''))}S{number}",
        "host": chance.choice(TEXTS),
        "address": chance.choice(TEXTS),
        "pid": chance.randint(0, 5),
        "classes": f'{{"classes":{chance.choice(("[]", "[" + chr(34) + "Motor" + chr(34) + "]"))}}}',
        "first_time_us": chance.choice(TIMES_US[1:]),
        "last_time_us": chance.choice(TIMES_US[1:]),
        "count": chance.randint(1, 4),
    }


def random_delivery(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "webhook_key": WEBHOOK,
        "number": number,
        "id": f"msg_{number}",
        "type": chance.choice(list(DeliveryType)).value,
        "state": chance.choice(list(DeliveryState)).value,
        "store_id": "s",
        "after_epoch": 1,
        "after_revision": 1,
        "epoch": 1,
        "revision": 1,
        "events": chance.randint(0, 3),
        "create_time_us": chance.choice(TIMES_US[1:]),
        "attempt_time_us": chance.choice(TIMES_US),
        "end_time_us": None,
        "attempts": chance.randint(0, 3),
        "http_status": chance.choice((0, 200, 503)),
        "duration_us": chance.randint(0, 4),
        "error": chance.choice(TEXTS),
        "replica": chance.choice(TEXTS),
        "redelivery_of": chance.choice(("", "msg_1")),
    }


Page = Callable[..., ListPage[Any]]


def first_sightings(unit: UnitOfWork, asked: AskedList) -> ListPage[Sighting]:
    """They have no second page."""
    return ListPage(sightings(unit, replace(asked, size=1000)))


@dataclass(frozen=True)
class Listed:
    """A list, and what tells its things apart, in the order of its columns."""

    page: Page
    identity: Callable[[Any], tuple[Any, ...]]


LISTS = {
    OPERATION_STEP: Listed(
        lambda unit, asked: step_page(unit, OPERATION, asked, states=(), changed_after=0),
        lambda step: (step.position,),
    ),
    SIGHTING: Listed(first_sightings, lambda seen: (seen.unit_server,)),
    INSTANTIATION: Listed(
        lambda unit, asked: life_page(unit, LifeFilter(), asked),
        lambda life: (life.session.id, life.control_unit_key),
    ),
    WEBHOOK_DELIVERY: Listed(
        lambda unit, asked: delivery_page(unit, WEBHOOK, asked), lambda each: (each.number,)
    ),
}


def read(store: Store, asked: AskedList) -> list[Any]:
    """All pages of a list."""
    page = store.read_now(partial(LISTS[asked.word].page, asked=asked)).value
    rest = read(store, replace(asked, token=page.next_page_token)) if page.next_page_token else []
    return [*page.items, *rest]


@pytest.mark.parametrize("word", LISTS)
def test_lists_of_records_are_what_passes_in_memory(
    store: Store, chance: random.Random, word: str
) -> None:
    keys = VOCABULARIES[word].keys.values()
    everything = read(store, AskedList(word=word, size=1000))
    assert len(everything) >= THINGS
    facts = {key.name: [f for each in everything for f in key.of(each)] for key in keys}
    orders = [key.name for key in keys if key.is_sortable]
    now_us = store.read_now(lambda unit: unit.now_us).value
    for _ in range(FILTERS):
        order = f"{chance.choice(orders)}{chance.choice(('', ' desc'))}"
        text = random_filter(chance, keys, facts)
        asked = AskedList(word=word, filter=text, order_by=order, size=chance.choice((5, 40)))
        wanted = [each for each in everything if matches(asked.expression, each, now_us)]
        in_order = sorted(wanted, key=place(asked), reverse=asked.sorting.descends)
        identity = LISTS[word].identity
        found = list(map(identity, read(store, asked)))
        assert found == list(map(identity, in_order)), (text, order)


def place(asked: AskedList) -> Callable[[Any], Any]:
    key, identity = asked.sorting.key, LISTS[asked.word].identity

    def of(thing: Any) -> Any:
        value: Any = next(iter(key.of(thing)), None)
        return rank(value), identity(thing)

    return of


@pytest.mark.parametrize("word", LISTS)
def test_all_keys_of_records_are_found_in_sql(word: str) -> None:
    records = {
        OPERATION_STEP: STEPS,
        SIGHTING: SIGHTINGS,
        INSTANTIATION: INSTANTIATIONS,
        WEBHOOK_DELIVERY: DELIVERIES,
    }[word]
    keys = VOCABULARIES[word].keys.values()
    assert set(records.sources) == {key.name for key in keys}
    assert set(records.orders) == {key.name for key in keys if key.is_sortable}


def test_a_token_of_another_list_is_refused(store: Store) -> None:
    asked = AskedList(word=WEBHOOK_DELIVERY, size=3, order_by="attempts")
    token = store.read_now(lambda unit: delivery_page(unit, WEBHOOK, asked)).value.next_page_token
    others = (
        replace(asked, token=token, order_by="events"),
        replace(asked, token=token, filter="events>0"),
        replace(asked, token=token, of="another"),
        replace(asked, token="nonsense"),
    )
    for other in others:
        with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
            read(store, other)


def set_page(unit: UnitOfWork, order: str, token: str) -> tuple[list[Any], str]:
    page = change_set_page(unit, ChangeSetSelection(order_by=order), Tallies(), size=4, token=token)
    return [each.revision for each in page.items], page.next_page_token


def places_page(unit: UnitOfWork, order: str, token: str) -> tuple[list[Any], str]:
    page = change_page(unit, ChangeSelection(order_by=order), size=4, token=token)
    return [(e.change_set.revision, e.ordinal) for e in page.items], page.next_page_token


Told = Callable[..., tuple[list[Any], str]]


def told(store: Store, page: Told, order: str) -> list[Any]:
    """All pages of changes."""
    found, token = store.read_now(partial(page, order=order, token="")).value
    while token:
        some, token = store.read_now(partial(page, order=order, token=token)).value
        found += some
    return found


@pytest.mark.parametrize("window", [3, 5_000])
def test_changes_are_told_from_either_end(
    store: Store, chance: random.Random, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metadata_server.store.past.backwards.WINDOW_ROWS", window)
    change_some(store, chance)
    for page in (set_page, places_page):
        oldest_first = told(store, page, "revision")
        assert oldest_first == sorted(set(oldest_first))
        assert oldest_first == told(store, page, "time desc")[::-1]
    assert len(oldest_first) > 20
