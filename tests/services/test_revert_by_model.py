"""Random stories of a template, a unit on it and an agent: what is gone comes back as what it was,
the template is its newest version, and what was published stays what it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from metadata_server.domain.intent.bundle import Decision, Item, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.template import Template, VersionState, marks_of, states_of
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.plans import Applying
from metadata_server.services.past.going_back import WentBack, carry_back
from metadata_server.services.past.revert import reverting
from metadata_server.services.past.undo import undoing
from metadata_server.store.schema import template_version
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.test_bundles_by_model import (
    CALLER,
    EVERYTHING,
    apply,
    apply_items,
    mariadb_store,
    sqlite_store,
)

__all__ = ["mariadb_store", "sqlite_store"]

DRAFT, PUBLISHED, DEPRECATED = VersionState.DRAFT, VersionState.PUBLISHED, VersionState.DEPRECATED
IDS = {Kind.TEMPLATE: "T", Kind.CONTROL_UNIT: "U", Kind.AGENT: "A"}
Rows = Mapping[tuple[int, int], tuple[VersionState, str]]
"""Where each version stands and what it says, by key of the template and version."""


@dataclass(frozen=True)
class Write:
    """That a resource shall be there."""

    resource: Resource


@dataclass(frozen=True)
class Remove:
    """That something shall not be there."""

    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Revert:
    """That something shall be what it was, so many changes ago."""

    kind: Kind
    ago: int


@dataclass(frozen=True)
class Undo:
    """That a change shall be taken back."""

    ago: int


Step = Write | Remove | Revert | Undo
TEXTS = st.sampled_from(["one", "two"])
AGO = st.integers(0, 7)
STATES = st.sampled_from([PUBLISHED, PUBLISHED, DRAFT, DEPRECATED])
TEMPLATES = st.builds(
    lambda text, state, version: Template(
        id="T", implementation="::T", group=text, version_state=state, version=version
    ),
    TEXTS,
    STATES,
    st.sampled_from([0, 0, 0, 1, 2]),
)
UNITS = st.builds(
    lambda text, version: ControlUnit(
        id="U", template="T", template_version=version, description=text
    ),
    TEXTS,
    st.sampled_from([0, 0, 1]),
)
AGENTS = st.builds(lambda text: Agent(id="A", host=text), TEXTS)
WRITES = st.builds(Write, TEMPLATES | TEMPLATES | UNITS | AGENTS)
REMOVALS = st.sampled_from(
    [
        Remove((Kind.AGENT,)),
        Remove((Kind.CONTROL_UNIT,)),
        Remove((Kind.CONTROL_UNIT, Kind.TEMPLATE)),
    ]
)
REVERTS = st.builds(Revert, st.sampled_from(list(IDS)), AGO)
GONE_AND_BACK = st.builds(
    lambda kinds, ago: [Remove(kinds), Revert(kinds[-1], ago)],
    st.sampled_from(
        [
            (Kind.CONTROL_UNIT, Kind.TEMPLATE),
            (Kind.CONTROL_UNIT, Kind.TEMPLATE),
            (Kind.CONTROL_UNIT,),
            (Kind.AGENT,),
        ]
    ),
    AGO,
)
SINGLE = st.builds(lambda step: [step], WRITES | WRITES | REMOVALS | REVERTS | st.builds(Undo, AGO))
FIRST = (Agent(id="A", host="one"), Template(id="T", implementation="::T", group="one"))
BEGINNINGS = st.lists(WRITES, min_size=2, max_size=5).map(
    lambda more: [*map(Write, FIRST), Write(ControlUnit(id="U", template="T")), *more]
)
LATER = st.lists(SINGLE | GONE_AND_BACK, min_size=2, max_size=8)
STORIES = st.builds(
    lambda first, later: [*first, *(step for group in later for step in group)], BEGINNINGS, LATER
)


class Story:
    """What is done, and what there was after each change."""

    def __init__(self, store: Store) -> None:
        apply(store, (), EVERYTHING)
        self._store = store
        self._past: list[tuple[int, dict[Kind, Resource]]] = []
        self._published: dict[tuple[int, int], str] = {}

    def take(self, step: Step) -> None:
        before = self._there()
        try:
            revision = self._carry_out(step)
        except Refused:
            assert self._there() == before
            return
        self._check_versions()
        if not self._past or revision > self._past[-1][0]:
            self._past.append((revision, self._there()))

    def _carry_out(self, step: Step) -> int:
        if isinstance(step, Write):
            return self._apply(Item("", step.resource.name, step.resource))
        if isinstance(step, Remove):
            return self._apply(*(Item.removal(kind, IDS[kind]) for kind in step.kinds))
        if not self._past:
            return 0
        revision, was = self._past[-1 - step.ago % len(self._past)]
        if isinstance(step, Undo):
            went = self._go_back(lambda unit: undoing(unit, revision, skip_invalid=True))
            return went.position.revision
        return self._revert(step.kind, revision, was.get(step.kind))

    def _apply(self, *items: Item) -> int:
        how = Applying(on_conflict=OnConflict.REPLACE, skip_invalid=True)
        return apply_items(self._store, items, how).position.revision

    def _go_back(self, decided: Callable[[UnitOfWork], Sequence[Decision]]) -> WentBack:
        return self._store.transact_now(
            lambda unit: carry_back(
                unit, lambda: decided(unit), skip_invalid=True, validate_only=False
            ),
            caller=CALLER,
        ).value

    def _revert(self, kind: Kind, revision: int, was: Resource | None) -> int:
        last = self._there().get(kind) or self._last(kind)
        moment = Moment(revision=revision)

        def decided(unit: UnitOfWork) -> Sequence[Decision]:
            return reverting(unit, kind, IDS[kind], as_of=moment, etag="*")

        if was is None:
            with pytest.raises(Refused, match="NOT_FOUND"):
                self._go_back(decided)
            return 0
        went = self._go_back(decided)
        (decision,) = went.decisions
        if not decision.problems:
            now = self._there()[kind]
            assert now == (template_after(was, last) if isinstance(was, Template) else was)
        return went.position.revision

    def _last(self, kind: Kind) -> Resource | None:
        """What there was last of a kind, in case that it is gone."""
        return next((was[kind] for _, was in reversed(self._past) if kind in was), None)

    def _there(self) -> dict[Kind, Resource]:
        def work(unit: UnitOfWork) -> dict[Kind, Resource]:
            types = (Template, ControlUnit, Agent)
            return {each.kind: each for type_ in types for each in unit.resources.where(type_)}

        return self._store.read_now(work).value

    def _check_versions(self) -> None:
        """The template is the newest of its versions, and has the marks of all; what was published
        says the same for good, also where the template is gone, and is never a draft again."""
        rows = self._store.read_now(rows_of).value
        published = {at: body for at, (state, body) in rows.items() if state is not DRAFT}
        assert published.items() >= self._published.items()
        self._published = published
        head = self._there().get(Kind.TEMPLATE)
        if not isinstance(head, Template):
            return
        key = head.meta.key
        states = {version: state for (of, version), (state, _) in rows.items() if of == key}
        assert head.versions == marks_of(states)
        assert head.version == max(states)
        newest = self._store.read_now(lambda unit: unit.resources.all_versions(head)[-1]).value
        assert replace(newest, versions=head.versions) == head


def template_after(was: Template, last: Resource | None) -> Template:
    """What a template is once it has the content of a moment again.

    Args:
        last: what is there, or was last.
    """
    assert isinstance(last, Template)
    version, state = last.version, last.version_state
    if state is not DRAFT and not was.has_content_of(last):
        version, state = last.version + 1, PUBLISHED
    marks = marks_of({**states_of(last.versions), version: state})
    return replace(was, version=version, version_state=state, versions=marks)


def rows_of(unit: UnitOfWork) -> Rows:
    return {
        (row.template_key, row.version): (VersionState(row.version_state), row.body)
        for row in unit.connection.execute(select(template_version))
    }


def go(store: Store, steps: Sequence[Step]) -> None:
    story = Story(store)
    for step in steps:
        story.take(step)


@settings(max_examples=40, deadline=None)
@given(STORIES)
def test_what_was_comes_back(sqlite_store: Store, steps: list[Step]) -> None:
    go(sqlite_store, steps)


@settings(max_examples=15, deadline=None)
@given(STORIES)
def test_what_was_comes_back_on_mariadb(mariadb_store: Store, steps: list[Step]) -> None:
    go(mariadb_store, steps)
