"""Random bundles against a model: the plan says exactly what apply does, and what apply does is
what the contract says."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.bundle import (
    WRITING,
    Item,
    ItemAction,
    OnConflict,
    PruneScope,
    SeenPlan,
)
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.exports import declared_at
from metadata_server.services.intent.plans import Applied, Applying, carry_out
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.store.store import Answer, Store
from tests.services.model import BAD, ORDER, Bundle, Removal, Thing, item_of, outcome
from tests.stages.mariadb import MariaDB
from tests.stages.opened_store import opened_store

CALLER = Caller(principal=Principal("tester"), method="Tests.Apply", reason="a test")
IDS = ("A/1", "A/2", "AB", "B/1")
TEXTS = st.sampled_from(["", "one", "one", "two", "two", "", BAD])
EVERYTHING = Applying(prune=(PruneScope(),))


@st.composite
def things(draw: st.DrawFn) -> Thing:
    kind = draw(st.sampled_from(ORDER))
    refers = []
    if kind is Kind.CONTROL_UNIT:
        refers.append(Kind.TEMPLATE.name_of(draw(st.sampled_from(IDS))))
    needs = {Kind.CONTROL_UNIT: Kind.UNIT_SERVER, Kind.UNIT_SERVER: Kind.AGENT}.get(kind)
    if needs and draw(st.booleans()):
        refers.append(needs.name_of(draw(st.sampled_from(IDS))))
    text = draw(TEXTS) if kind is not Kind.TEMPLATE else ""
    return Thing(kind, draw(st.sampled_from(IDS)), tuple(refers), text)


REMOVALS = st.builds(Removal, st.sampled_from(ORDER), st.sampled_from(IDS))
SCOPES = st.builds(
    PruneScope,
    st.lists(st.sampled_from(ORDER), max_size=2, unique=True).map(tuple),
    st.sampled_from(["", "A", "A/", "B/", "C"]),
)
WHOLE = tuple(
    Thing(kind, id, tuple(of.name_of(id) for of in refers))
    for id in IDS
    for kind, refers in (
        (Kind.TEMPLATE, ()),
        (Kind.AGENT, ()),
        (Kind.UNIT_SERVER, (Kind.AGENT,)),
        (Kind.CONTROL_UNIT, (Kind.TEMPLATE, Kind.UNIT_SERVER)),
        (Kind.VARIABLE, ()),
    )
)
FACILITIES = st.builds(
    Bundle,
    st.permutations(WHOLE).map(lambda each: tuple(each[:16])),
    st.just(()),
    st.just(OnConflict.REPLACE),
    st.just(value=True),
)
BUNDLES = st.builds(
    Bundle,
    st.lists(things() | REMOVALS, max_size=8).map(tuple),
    st.lists(SCOPES, max_size=2).map(tuple),
    st.sampled_from([OnConflict.REPLACE, OnConflict.REPLACE, OnConflict.SKIP, OnConflict.FAIL]),
    st.sampled_from([True, True, False]),
)
STORIES = st.builds(lambda first, rest: [first, *rest], FACILITIES, st.lists(BUNDLES, max_size=3))
"""A facility, and what people then do to it."""


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("model") / "mds.sqlite"
    with opened_store(f"sqlite:///{path}") as store:
        yield store


@pytest.fixture(scope="module")
def mariadb_store(mariadb_server: MariaDB) -> Iterator[Store]:
    name = mariadb_server.create_database()
    with opened_store(mariadb_server.url(name)) as store:
        yield store
    mariadb_server.drop_database(name)


def apply(store: Store, entries: Sequence[Thing | Removal], how: Applying) -> Answer[Applied]:
    return apply_items(store, [item_of(entry) for entry in entries], how)


def apply_items(store: Store, items: Sequence[Item], how: Applying) -> Answer[Applied]:
    return store.transact_now(
        lambda unit: carry_out(unit, lambda _: items, how, ApplyProgress()), caller=CALLER
    )


def export(store: Store) -> list[Resource]:
    return store.read_now(lambda unit: list(declared_at(unit, [], "", unit.position))).value


def as_told(
    answer: Answer[Applied], bundle: Bundle
) -> tuple[list[ItemAction], dict[str, ItemAction]]:
    """What became of the entries, in their order, and by name of what is pruned."""
    decisions = answer.value.decisions
    count = len(bundle.entries)
    pruned = {each.item.name: each.action for each in decisions[count:]}
    return [each.action for each in decisions[:count]], pruned


def go_as_the_model_says(store: Store, bundles: Sequence[Bundle]) -> None:
    """For each bundle: its plan, the application of just that plan, and the same again."""
    apply(store, (), EVERYTHING)
    there: dict[str, Thing] = {}
    for bundle in bundles:
        expected = outcome(there, bundle)
        how = Applying(
            on_conflict=bundle.on_conflict, skip_invalid=bundle.skip_invalid, prune=bundle.prune
        )
        before = export(store)
        tried = apply(store, bundle.entries, replace(how, validate_only=True))
        assert as_told(tried, bundle) == (expected.actions, expected.pruned)
        assert export(store) == before
        seen = SeenPlan(tried.position, tried.value.summary.plan)
        done = apply(store, bundle.entries, replace(how, seen=seen))
        assert as_told(done, bundle) == (expected.actions, expected.pruned)
        is_applied = bundle.skip_invalid or expected.is_good
        assert done.value.summary.applied == is_applied
        is_written = is_applied and any(each.action in WRITING for each in done.value.decisions)
        assert done.position.revision == tried.position.revision + is_written
        there = dict(expected.after) if is_applied else there
        assert {each.name: each.description for each in export(store)} == {
            name: thing.text for name, thing in there.items()
        }
        again = apply(store, bundle.entries, how)
        assert again.position.revision == done.position.revision


def comes_back_whole(store: Store) -> None:
    """What is exported goes into an empty store and comes out the same; where it is already,
    nothing changes."""
    exported = export(store)
    items = [Item("", each.name, each) for each in exported]
    revision = apply_items(store, items, Applying()).position.revision
    apply(store, (), EVERYTHING)
    assert export(store) == []
    assert apply_items(store, items, Applying()).position.revision == revision + 2 * bool(items)
    assert export(store) == exported


@settings(max_examples=18, deadline=None)
@given(STORIES)
def test_a_plan_says_what_apply_does(sqlite_store: Store, bundles: list[Bundle]) -> None:
    go_as_the_model_says(sqlite_store, bundles)
    comes_back_whole(sqlite_store)


@settings(max_examples=9, deadline=None)
@given(STORIES)
def test_a_plan_says_what_apply_does_on_mariadb(
    mariadb_store: Store, bundles: list[Bundle]
) -> None:
    go_as_the_model_says(mariadb_store, bundles)
    comes_back_whole(mariadb_store)
