"""What people changed: lists by name, prefix, author and time, change sets, comparisons."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from metadata_server.domain.change import Action, Caller, Principal
from metadata_server.domain.change_set import (
    ChangeListing,
    ChangeSelection,
    ChangeSetSelection,
    ToldChange,
)
from metadata_server.domain.difference import FieldDifference
from metadata_server.domain.intent.comparison import Comparing, Difference
from metadata_server.domain.intent.facility import Agent, Variable
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.past.comparisons import Comparisons
from metadata_server.services.past.history import History
from metadata_server.store import schema
from metadata_server.store.intent import candidates
from metadata_server.store.past import backwards
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

Call = Callable[..., Caller]
AGENT = Agent(id="A/1", host="h1")


@pytest.fixture
def history(store: Store) -> History:
    return History(store)


async def save(store: Store, caller: Caller | None, *resources: Resource) -> list[Resource]:
    """Creates or changes resources in one change set."""

    def work(unit: UnitOfWork) -> list[Resource]:
        found = [unit.resources.find(type(each), [each.id], lock=True) for each in resources]
        return [
            unit.save(replace(each, meta=there[each.id].meta) if there else each)
            for each, there in zip(resources, found, strict=True)
        ]

    return (await store.transact(work, caller=caller)).value


async def rename(store: Store, caller: Caller, resource: Resource, id: str) -> None:
    def work(unit: UnitOfWork) -> Resource:
        there = unit.resources.get(type(resource), resource.id, lock=True)
        return unit.save(replace(there, id=id))

    await store.transact(work, caller=caller)


async def delete(store: Store, caller: Caller, *resources: Resource) -> None:
    def work(unit: UnitOfWork) -> None:
        for each in resources:
            unit.delete(unit.resources.get(type(each), each.id, lock=True))

    await store.transact(work, caller=caller)


async def listed(history: History, *, size: int = 0, **selection: object) -> list[ToldChange]:
    """All pages of a list."""
    found: list[ToldChange] = []
    token = ""
    while True:
        page = await list_page(history, size=size, token=token, **selection)
        found += page.items
        token = page.next_page_token
        if not token:
            return found


async def list_page(
    history: History, *, size: int = 0, token: str = "", **selection: object
) -> ChangeListing:
    wanted = replace(ChangeSelection(), **selection)  # type: ignore[arg-type]
    return (await history.list_changes(wanted, size=size, token=token)).value


def told(changes: Sequence[ToldChange]) -> list[tuple[int, str, Action]]:
    return [(each.change_set.revision, each.id, each.action) for each in changes]


async def test_changes_of_a_name_are_told_newest_first_with_author_and_differences(
    store: Store, history: History, call: Call
) -> None:
    await save(store, call(), AGENT)
    await save(store, call(), Agent(id="other"))
    author = call(principal=Principal("eva"), reason="moved", request_id="r1", client="mds/1")
    await save(store, author, replace(AGENT, host="h2"))
    await delete(store, call(), AGENT)
    changes = await listed(history, kind=Kind.AGENT, id="A/1")
    assert told(changes) == [
        (4, "A/1", Action.DELETED),
        (3, "A/1", Action.UPDATED),
        (1, "A/1", Action.CREATED),
    ]
    (updated,) = changes[1:2]
    assert updated.differences == (FieldDifference("host", "h1", "h2"),)
    who = updated.change_set
    assert (who.author, who.reason, who.request_id) == ("eva", "moved", "r1")
    assert (who.client, who.method) == ("mds/1", "Tests.Change")
    assert changes[0].differences == changes[2].differences == ()


async def test_a_renamed_resource_is_found_by_each_of_its_names(
    store: Store, history: History, call: Call
) -> None:
    await save(store, call(), AGENT)
    await rename(store, call(), AGENT, "B/1")
    by_old = await listed(history, kind=Kind.AGENT, id="A/1")
    assert by_old == await listed(history, kind=Kind.AGENT, id="B/1")
    assert [(each.id, each.former_id) for each in by_old] == [("B/1", "A/1"), ("A/1", "")]


async def test_a_name_of_several_tells_of_the_last(
    store: Store, history: History, call: Call
) -> None:
    await save(store, call(), AGENT)
    await delete(store, call(), AGENT)
    await save(store, call(), replace(AGENT, host="new"))
    assert told(await listed(history, kind=Kind.AGENT, id="A/1")) == [(3, "A/1", Action.CREATED)]


async def test_a_name_that_never_was_is_refused(history: History) -> None:
    with pytest.raises(Refused, match="AGENT_NOT_FOUND"):
        await listed(history, kind=Kind.AGENT, id="A/1")


async def test_a_prefix_counts_as_it_was_then(store: Store, history: History, call: Call) -> None:
    await save(store, call(), AGENT, Agent(id="B/2"), Agent(id="A"))
    await rename(store, call(), AGENT, "B/1")
    await delete(store, call(), Agent(id="B/1"))
    assert told(await listed(history, id_prefix="A/")) == [(1, "A/1", Action.CREATED)]
    assert told(await listed(history, id_prefix="B/1")) == [
        (3, "B/1", Action.DELETED),
        (2, "B/1", Action.UPDATED),
    ]
    assert await listed(history, id_prefix="ü") == []


async def test_changes_are_filtered_by_kind_author_change_set_and_moments(
    store: Store, history: History, call: Call
) -> None:
    await save(store, call(), AGENT)
    await save(store, call(principal=Principal("eva")), Variable(id="v", value="1"))
    await save(store, call(), Variable(id="v", value="2"), Agent(id="A/2"))
    assert told(await listed(history, kinds=(Kind.VARIABLE,))) == [
        (3, "v", Action.UPDATED),
        (2, "v", Action.CREATED),
    ]
    assert told(await listed(history, author="eva")) == [(2, "v", Action.CREATED)]
    in_set = await listed(history, change_set=3)
    assert {(each.change_set.revision, each.id) for each in in_set} == {(3, "v"), (3, "A/2")}
    from_2 = await listed(history, since=Moment(revision=2), until=Moment(revision=2))
    assert told(from_2) == [(2, "v", Action.CREATED)]
    time_us = from_2[0].change_set.time_us
    assert from_2 == await listed(
        history, since=Moment(time_us=time_us), until=Moment(time_us=time_us)
    )


async def test_what_the_system_did_itself_has_no_author(store: Store, history: History) -> None:
    await save(store, None, AGENT)
    (change,) = await listed(history)
    assert change.change_set.author == ""
    assert change.change_set.time_us > 0


async def test_pages_go_on_where_the_one_before_ended_and_stay_at_their_position(
    store: Store, history: History, call: Call
) -> None:
    for number in range(3):
        await save(store, call(), Agent(id=f"a{number}"), Agent(id=f"b{number}"))
    everything = await listed(history)
    assert len(everything) == 6
    for size in range(1, 7):
        assert await listed(history, size=size) == everything
    first = await list_page(history, size=2)
    await save(store, call(), Agent(id="later"))
    second = await list_page(history, size=2, token=first.next_page_token)
    assert [*first.items, *second.items] == everything[:4]
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        await list_page(history, token=first.next_page_token, author="eva")


async def test_a_walk_through_many_windows_misses_nothing(
    store: Store, history: History, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        author = Principal("eva" if number % 7 == 0 else "adam")
        await save(store, call(principal=author), Agent(id="a", host=str(number)), Agent(id="b"))
    whole = await listed(history, author="eva")
    monkeypatch.setattr(backwards, "WINDOW_ROWS", 3)
    monkeypatch.setattr(backwards, "MOST_WINDOWS", 2)
    assert await listed(history, author="eva") == whole
    assert {each.change_set.revision for each in whole} == {1, 8, 15}
    page = await list_page(history, author="nobody")
    assert page.items == []
    assert page.next_page_token, "a page that ran out of windows goes on"
    wanted = ChangeSetSelection(author="eva")
    found, token = [], ""
    while True:
        sets = (await history.list_change_sets(wanted, size=2, token=token)).value
        found += [each.revision for each in sets.items]
        token = sets.next_page_token
        if not token:
            break
    assert found == [15, 8, 1]


async def test_a_trimmed_past_says_from_where_on_it_is_told(
    store: Store, history: History, call: Call
) -> None:
    for number in range(4):
        await save(store, call(), replace(AGENT, host=str(number)))
    row = {"kind": "agent", "revision": 2, "time_us": 1}
    await store.transact(lambda unit: unit.connection.execute(schema.horizon.insert().values(row)))
    page = await list_page(history)
    assert [each.change_set.revision for each in page.items] == [4, 3]
    assert page.kept_from == 3
    assert (await list_page(history, since=Moment(revision=3))).kept_from == 0
    assert (await list_page(history, kinds=(Kind.SCRIPT,))).kept_from == 0
    with pytest.raises(Refused, match="HISTORY_TRIMMED"):
        await list_page(history, until=Moment(revision=1))


async def test_a_change_set_tells_how_many_it_touched_and_the_first_of_them(
    store: Store, history: History, call: Call
) -> None:
    await save(store, call(), AGENT, Variable(id="v"))
    many = [Agent(id=f"x{number}") for number in range(12)]
    await save(store, call(reason="more"), replace(AGENT, host="h2"), *many)
    await delete(store, call(), AGENT)
    found = (await history.get_change_set(2)).value
    assert (found.created, found.updated, found.deleted) == (12, 1, 0)
    assert found.reason == "more"
    assert len(found.first_names) == 10
    assert set(found.first_names) <= {"agents/A/1", *(each.name for each in many)}
    page = (await history.list_change_sets(ChangeSetSelection(), size=0, token="")).value
    assert [each.revision for each in page.items] == [3, 2, 1]
    assert page.items[0].deleted == 1
    for unknown in (4, 10**18):
        with pytest.raises(Refused, match="CHANGE_SET_NOT_FOUND"):
            await history.get_change_set(unknown)


async def compared(
    store: Store, earlier: int, later: int | None, **more: object
) -> list[Difference]:
    until = None if later is None else Moment(revision=later)
    wanted = replace(
        Comparing(earlier=Moment(revision=earlier), later=until),
        **more,  # type: ignore[arg-type]
    )
    return [each async for part in Comparisons(store).compare(wanted) for each in part.differences]


@pytest.mark.parametrize("few", [candidates.FEW_IMAGES, 0])
async def test_two_moments_are_compared_by_kind_and_id(
    store: Store, call: Call, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """By the images between the moments, and by the names where there are many of those."""
    monkeypatch.setattr(candidates, "FEW_IMAGES", few)
    await save(store, call(), AGENT, Agent(id="B/2"), Agent(id="C/3", host="c"), Variable(id="v"))
    await save(store, call(), replace(AGENT, host="h2"), Agent(id="C/3", host="tmp"))
    await rename(store, call(), Agent(id="B/2"), "A/0")
    await delete(store, call(), Variable(id="v"))
    await save(store, call(), Variable(id="new"), Agent(id="C/3", host="c"))
    found = await compared(store, 1, None)
    assert [(each.kind.name_of(each.id), each.former_id, each.action) for each in found] == [
        ("agents/A/0", "B/2", Action.UPDATED),
        ("agents/A/1", "", Action.UPDATED),
        ("variables/new", "", Action.CREATED),
        ("variables/v", "", Action.DELETED),
    ]
    assert found[1].differences == (FieldDifference("host", "h1", "h2"),)
    assert [(each.from_etag, each.to_etag) for each in found] == [
        ("1", "3"),
        ("1", "2"),
        ("", "5"),
        ("1", ""),
    ]
    assert await compared(store, 5, None) == []
    assert [each.id for each in await compared(store, 0, 1)] == ["A/1", "B/2", "C/3", "v"]
    only = await compared(store, 1, None, id_prefix="B/")
    assert [(each.id, each.former_id) for each in only] == [("A/0", "B/2")]
    assert [each.id for each in await compared(store, 1, 4, kinds=(Kind.VARIABLE,))] == ["v"]


async def test_one_resource_is_compared_under_any_of_its_names(store: Store, call: Call) -> None:
    await save(store, call(), AGENT)
    await rename(store, call(), AGENT, "B/1")
    await save(store, call(), Agent(id="B/1", host="h2"))
    for id in ("A/1", "B/1"):
        (found,) = await compared(store, 1, 3, kind=Kind.AGENT, id=id)
        assert (found.id, found.former_id) == ("B/1", "A/1")
        assert found.differences == (FieldDifference("host", "h1", "h2"),)
    with pytest.raises(Refused, match="AGENT_NOT_FOUND"):
        await compared(store, 1, 3, kind=Kind.AGENT, id="nobody")


async def test_moments_in_the_wrong_order_are_refused(store: Store, call: Call) -> None:
    await save(store, call(), AGENT)
    await save(store, call(), Variable(id="v"))
    with pytest.raises(Refused, match="INVALID_FIELD: from"):
        await compared(store, 2, 1)
    with pytest.raises(Refused, match="HISTORY_RESET"):
        await compared(store, 1, 99)


async def test_a_large_comparison_comes_in_parts(store: Store, call: Call) -> None:
    await save(store, call(), AGENT)
    await save(store, call(), *(Agent(id=f"a{number:04}") for number in range(1100)))
    wanted = Comparing(earlier=Moment(revision=1))
    parts = [part async for part in Comparisons(store).compare(wanted)]
    assert [part.compared for part in parts] == [500, 1000, 1100]
    ids = [each.id for part in parts for each in part.differences]
    assert ids == [f"a{number:04}" for number in range(1100)]
