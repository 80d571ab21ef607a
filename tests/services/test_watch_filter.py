"""What a watcher with a filter can rely on: a list, kept current by its events, is the list."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest

from metadata_server.domain.change import Position
from metadata_server.domain.intent.template import Template
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.refused import Refused
from metadata_server.domain.watch import Event, EventAction, wanted_by
from metadata_server.store.intent.lists import filtered_page
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import CALLER, Following, events, following
from tests.store.filters import change_some, declare_all, report_again, report_some

ROUNDS = 4
FILTERS = {
    Kind.CONTROL_UNIT: (
        "label:archived OR level>0",
        "zone=DAFNE -template=Motor",
        "unit_server=SIMPS_0 desired!=RUNNING",
        "overrides>1",
        "created>2020-01-01",
    ),
    Kind.CONTROL_UNIT_STATUS: ("state=RUNNING,STOPPED", "-message:spare", "condition=ConfigDrift"),
}
GOES = (EventAction.LEFT, EventAction.DELETED)


@pytest.fixture
def chance() -> random.Random:
    return random.Random(7)


@pytest.fixture
async def replica(store: Store, chance: random.Random) -> AsyncIterator[Following]:
    declare_all(store, chance, units=30)
    report_some(store, chance)
    async with following(store) as replica:
        yield replica


def listed(store: Store, kind: Kind, text: str) -> set[str]:
    selection = Selection(kind=kind, filter=text)
    page = partial(filtered_page, selection=selection, size=1000, token="")
    return {row.id for row in store.read_now(page).value.items}


def apply(mirror: set[str], event: Event) -> None:
    """What a client does; nothing comes that is there, and nothing goes that is not."""
    if event.action in GOES:
        mirror.remove(event.id)
        return
    mirror.discard(event.former_id)
    is_new = event.action is EventAction.CREATED
    assert (event.id in mirror) is not is_new or event.former_id
    mirror.add(event.id)


async def test_a_list_kept_current_is_the_list(replica: Following, chance: random.Random) -> None:
    store = replica.store
    begin = await replica.present()
    mirrors = {
        (kind, text): listed(store, kind, text) for kind in FILTERS for text in FILTERS[kind]
    }
    middle = begin
    for number in range(ROUNDS):
        report_again(store, chance, share=0.4)
        middle = await replica.present() if number == ROUNDS // 2 else middle
    last = await replica.present()
    await check(replica, mirrors, Kind.CONTROL_UNIT_STATUS, (begin, middle, last))
    for number in range(ROUNDS):
        change_some(store, chance)
        middle = await replica.present() if number == ROUNDS // 2 else middle
    await check(replica, mirrors, Kind.CONTROL_UNIT, (begin, middle, await replica.present()))


@pytest.mark.parametrize("text", ["", "state=RUNNING,STOPPED"])
async def test_a_list_of_statuses_kept_current_is_the_list_also_where_units_come_and_go(
    replica: Following, chance: random.Random, text: str
) -> None:
    kind = Kind.CONTROL_UNIT_STATUS
    wanted = wanted_by([kind], "", text)
    for _ in range(ROUNDS):
        begin, mirror = await replica.present(), listed(replica.store, kind, text)
        change_some(replica.store, chance)
        last = await replica.present()
        for event in events(await replica.up_to(last.revision, after=begin, wanted=wanted)):
            apply(mirror, event)
        assert mirror == listed(replica.store, kind, text)


async def check(
    replica: Following,
    mirrors: dict[tuple[Kind, str], set[str]],
    kind: Kind,
    positions: tuple[Position, Position, Position],
) -> None:
    """That the events from the first position to the last lead from list to list, and those from
    the one between are the last of them."""
    begin, middle, last = positions
    for text in FILTERS[kind]:
        wanted = wanted_by([kind], "", text)
        told = events(await replica.up_to(last.revision, after=begin, wanted=wanted))
        mirror = set(mirrors[kind, text])
        for event in told:
            apply(mirror, event)
        assert mirror == listed(replica.store, kind, text), text
        resumed = events(await replica.up_to(last.revision, after=middle, wanted=wanted))
        rest = [each for each in told if each.change.revision > middle.revision]
        assert [(e.change.revision, e.id, e.action) for e in resumed] == [
            (e.change.revision, e.id, e.action) for e in rest
        ]


async def test_a_watch_for_a_name_that_changes_has_to_list_again(replica: Following) -> None:
    def rename(unit: UnitOfWork) -> None:
        motor = unit.resources.get(Template, "Motor", lock=True)
        unit.save(replace(motor, id="Stepper"))

    begin = await replica.present()
    last = (await replica.store.transact(rename, caller=CALLER)).position
    by_label = wanted_by([Kind.CONTROL_UNIT], "", "label:archived")
    assert not events(await replica.up_to(last.revision, after=begin, wanted=by_label))
    by_name = wanted_by([Kind.CONTROL_UNIT], "", "template=Motor")
    with pytest.raises(Refused, match=r"HISTORY_TRIMMED: templates/Motor is called .*Stepper"):
        await replica.up_to(last.revision, after=begin, wanted=by_name)


@pytest.mark.parametrize(
    ("kinds", "text", "told"),
    [
        ([Kind.CONTROL_UNIT], "state=RUNNING", "INVALID_FILTER: .*column 1: state cannot be asked"),
        ([Kind.CONTROL_UNIT_STATUS], "contact=LOST", "INVALID_FILTER"),
        ([Kind.CONTROL_UNIT_STATUS], "condition=OutOfDate", "INVALID_FILTER"),
        ([Kind.CONTROL_UNIT], "changed<2h", "INVALID_FILTER"),
        ([], "id:DAFNE*", "INVALID_FIELD: kinds"),
        ([Kind.CONTROL_UNIT, Kind.AGENT], "id:DAFNE*", "INVALID_FIELD: kinds"),
        ([Kind.OPERATION], "id:DAFNE*", "INVALID_FIELD: kinds"),
    ],
)
def test_what_a_watch_cannot_tell_is_refused(kinds: list[Kind], text: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        wanted_by(kinds, "", text)
