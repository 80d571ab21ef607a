"""What bundles do, told a second time and in the simplest way: with a dict of what is there.

Resources are told by names, references and one text. The rules are those of the contract; how
the server comes to its decisions plays no part here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from metadata_server.domain.intent.bundle import Item, ItemAction, OnConflict, PruneScope
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Variable
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource

BAD = "bad"
"""A text that no resource may have."""

ORDER = (Kind.TEMPLATE, Kind.AGENT, Kind.UNIT_SERVER, Kind.CONTROL_UNIT, Kind.VARIABLE)
"""Kinds, each after what it refers to."""


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """A resource.

    Attributes:
        refers: names of what it needs.
        text: its content.
    """

    kind: Kind
    id: str
    refers: tuple[str, ...] = ()
    text: str = ""

    @property
    def name(self) -> str:
        return self.kind.name_of(self.id)

    def resource(self) -> Resource:
        by_collection = dict(name.split("/", 1) for name in self.refers)
        labels = {"": self.text} if self.text == BAD else {}
        if self.kind is Kind.TEMPLATE:
            return Template(id=self.id, implementation="::T", labels=labels)
        if self.kind is Kind.AGENT:
            return Agent(id=self.id, description=self.text, labels=labels)
        if self.kind is Kind.VARIABLE:
            return Variable(id=self.id, value="1", description=self.text, labels=labels)
        if self.kind is Kind.UNIT_SERVER:
            agent = by_collection.get("agents")
            launch = Launch(agent=agent) if agent else None
            return UnitServer(id=self.id, description=self.text, labels=labels, launch=launch)
        return ControlUnit(
            id=self.id,
            description=self.text,
            labels=labels,
            template=by_collection["templates"],
            unit_server=by_collection.get("unit_servers", ""),
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """That something shall not be there."""

    kind: Kind
    id: str

    @property
    def name(self) -> str:
        return self.kind.name_of(self.id)


def item_of(entry: Thing | Removal) -> Item:
    if isinstance(entry, Removal):
        return Item.removal(entry.kind, entry.id)
    return Item("", entry.name, entry.resource())


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is asked for."""

    entries: tuple[Thing | Removal, ...]
    prune: tuple[PruneScope, ...]
    on_conflict: OnConflict
    skip_invalid: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it comes to.

    Attributes:
        actions: of the entries, in their order; then by name of what is pruned.
        after: what is there, if it is applied.
    """

    actions: Sequence[ItemAction]
    pruned: Mapping[str, ItemAction]
    is_good: bool
    after: Mapping[str, Thing]


def outcome(there: Mapping[str, Thing], bundle: Bundle) -> Outcome:
    actions: dict[int, ItemAction] = {}
    named: dict[str, int] = {}
    for place, entry in enumerate(bundle.entries):
        if named.setdefault(entry.name, place) != place:
            actions[place] = ItemAction.REJECTED
    after = dict(there)
    came: set[str] = set()
    for kind in ORDER:
        for place, entry in enumerate(bundle.entries):
            if place not in actions and isinstance(entry, Thing) and entry.kind is kind:
                actions[place] = write(entry, there, came, bundle.on_conflict)
                if actions[place] is not ItemAction.REJECTED:
                    came.add(entry.name)
                if actions[place] in {ItemAction.CREATED, ItemAction.CHANGED}:
                    after[entry.name] = entry
    removals = [e for place, e in enumerate(bundle.entries) if place not in actions]
    out_of_scope = {entry.name for entry in bundle.entries}
    unnamed = [
        Removal(thing.kind, thing.id)
        for thing in there.values()
        if thing.name not in out_of_scope and any(lies_in(thing, s) for s in bundle.prune)
    ]
    went: dict[str, ItemAction] = {}
    for kind in reversed(ORDER):
        going = [each for each in (*removals, *unnamed) if each.kind is kind]
        went |= {each.name: removal(each, after) for each in going}
    for place, entry in enumerate(bundle.entries):
        actions.setdefault(place, went.get(entry.name, ItemAction.UNCHANGED))
    pruned = {each.name: went[each.name] for each in unnamed}
    is_good = ItemAction.REJECTED not in {*actions.values(), *pruned.values()}
    return Outcome([actions[n] for n in range(len(actions))], pruned, is_good, after)


def write(
    thing: Thing, there: Mapping[str, Thing], came: Iterable[str], on_conflict: OnConflict
) -> ItemAction:
    if thing.text == BAD or any(name not in there and name not in came for name in thing.refers):
        return ItemAction.REJECTED
    before = there.get(thing.name)
    if before is None:
        return ItemAction.CREATED
    if before == thing:
        return ItemAction.UNCHANGED
    return {
        OnConflict.FAIL: ItemAction.REJECTED,
        OnConflict.SKIP: ItemAction.SKIPPED,
        OnConflict.REPLACE: ItemAction.CHANGED,
    }[on_conflict]


def removal(entry: Thing | Removal, after: dict[str, Thing]) -> ItemAction:
    """Takes something away, unless what will be there needs it."""
    if entry.name not in after:
        return ItemAction.UNCHANGED
    if any(entry.name in thing.refers for thing in after.values()):
        return ItemAction.REJECTED
    del after[entry.name]
    return ItemAction.REMOVED


def lies_in(thing: Thing, scope: PruneScope) -> bool:
    return thing.id.startswith(scope.id_prefix) and (not scope.kinds or thing.kind in scope.kinds)
