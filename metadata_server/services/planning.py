"""Decides what becomes of resources that someone wants to be so: one mechanism for single
writes and for bundles.

Everything is read and locked first, kind by kind in the order in which kinds refer to each
other; then each item is checked against what is there and against the rest of the bundle; all
problems are found, not the first. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from metadata_server.domain import checks
from metadata_server.domain.attribute import Attribute
from metadata_server.domain.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.control_unit import ControlUnit
from metadata_server.domain.facility import Agent
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Meta, Resource
from metadata_server.domain.template import Template
from metadata_server.domain.unit_server import UnitServer
from metadata_server.services.template_versions import TemplateVersions
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.published import published_attributes
from metadata_server.store.unit_of_work import UnitOfWork

R = TypeVar("R", bound=Resource)


class Planning:
    """The decisions about some items, within one transaction."""

    def __init__(self, unit: UnitOfWork, *, on_conflict: OnConflict) -> None:
        self._unit = unit
        self._on_conflict = on_conflict
        self._templates = TemplateVersions(unit)
        self._before: dict[tuple[Kind, str], Resource] = {}
        self._coming: dict[Kind, set[str]] = defaultdict(set)
        self._published: dict[int, tuple[Attribute, ...]] = {}

    def decide(self, items: Sequence[Item]) -> list[Decision]:
        """One decision an item, in the order of the items."""
        first_places: dict[tuple[Kind, str, int], Item] = {}
        by_kind: dict[Kind, list[tuple[int, Item]]] = defaultdict(list)
        decisions: list[Decision | None] = [None] * len(items)
        for index, item in enumerate(items):
            if item.resource is None or item.faults:
                decisions[index] = rejected(item, item.faults)
            elif twin := first_places.setdefault(place_of(item.resource), item):
                if twin is item:
                    by_kind[item.resource.kind].append((index, item))
                else:
                    decisions[index] = rejected(item, [twice(item, twin)])
        for kind in DECLARED:
            self._load(kind, [item for _, item in by_kind[kind]])
            for index, item in by_kind[kind]:
                decision = self._decide(item)
                decisions[index] = decision
                if decision.action is not ItemAction.REJECTED and item.resource is not None:
                    self._coming[kind].add(item.resource.id)
        return [decision for decision in decisions if decision is not None]

    def _load(self, kind: Kind, items: Iterable[Item]) -> None:
        """Reads and locks what is there of the items, and of what they refer to."""
        resources = [item.resource for item in items if item.resource is not None]
        found = self._unit.resources.find(
            LAYOUTS[kind].type, (resource.id for resource in resources), lock=True
        )
        self._before |= {(kind, id): resource for id, resource in found.items()}
        if kind is Kind.TEMPLATE:
            self._templates.load_heads(found)
        elif kind is Kind.UNIT_SERVER:
            servers = [r for r in resources if isinstance(r, UnitServer) and r.launch]
            self._load_named(Agent, (s.launch.agent for s in servers if s.launch))
        elif kind is Kind.CONTROL_UNIT:
            units = [r for r in resources if isinstance(r, ControlUnit)]
            self._load_named(UnitServer, (u.unit_server for u in units))
            self._templates.load(units)
            keys = [found[u.id].meta.key for u in units if u.id in found]
            self._published = published_attributes(self._unit, keys)

    def _load_named(self, type_: type[R], ids: Iterable[str]) -> None:
        """Locks what is referred to, so that nobody deletes it before this is written."""
        kind = type_.kind
        missing = {id for id in ids if id and (kind, id) not in self._before}
        found = self._unit.resources.find(type_, missing - self._coming[kind], lock=True)
        self._before |= {(kind, id): resource for id, resource in found.items()}

    def _decide(self, item: Item) -> Decision:
        resource = item.resource
        if isinstance(resource, Template):
            return self._decide_template(item, resource)
        if isinstance(resource, ControlUnit):
            return self._decide_control_unit(item, resource)
        assert resource is not None
        problems = list(checks.faults_of(resource))
        if isinstance(resource, UnitServer) and resource.launch is not None:
            problems += self._missing(Kind.AGENT, resource.launch.agent, "launch.agent")
        return self._compare(item, resource, problems)

    def _decide_template(self, item: Item, template: Template) -> Decision:
        problems = list(checks.faults_of(template))
        before = self._before.get((Kind.TEMPLATE, template.id))
        after, more = self._templates.settle(template)
        decision = self._compare(item, after, problems + more, before=self._version(after, before))
        if decision.action in {ItemAction.CREATED, ItemAction.CHANGED}:
            self._templates.accept(after)
        return decision

    def _version(self, after: Template, before: Resource | None) -> Resource | None:
        """What an item about a version is compared with: that version, or the newest."""
        return self._templates.known(after.id, after.version) or before

    def _decide_control_unit(self, item: Item, unit: ControlUnit) -> Decision:
        problems = self._missing(Kind.UNIT_SERVER, unit.unit_server, "unit_server")
        template = self._templates.newest_or(unit.template, unit.template_version)
        if template is None:
            return rejected(item, [*problems, self._templates.missing(unit)])
        pinned = replace(unit, template_version=template.version)
        before = self._before.get((Kind.CONTROL_UNIT, unit.id))
        problems += self._templates.refusals(unit, template, before)
        published = self._published.get(before.meta.key) if before else None
        problems += checks.control_unit_faults(pinned, template, published)
        return self._compare(item, pinned, problems, before=before)

    def _missing(self, kind: Kind, id: str, field: str) -> list[WrongField]:
        if not id or id in self._coming[kind] or (kind, id) in self._before:
            return []
        expected = f"a {kind.words} that is there, or comes earlier in the same bundle"
        return [WrongField(field, kind.name_of(id), expected, kind.not_found)]

    def _compare(
        self,
        item: Item,
        after: Resource,
        problems: Sequence[WrongField],
        *,
        before: Resource | None = None,
    ) -> Decision:
        before = before or self._before.get((after.kind, after.id))
        if problems:
            return rejected(item, problems)
        if before is None:
            fresh = replace(after, meta=Meta())
            return Decision(item, ItemAction.CREATED, None, fresh)
        changed = before.changed_fields(after)
        if not changed:
            return Decision(item, ItemAction.UNCHANGED, before, before)
        if self._on_conflict is OnConflict.FAIL:
            return rejected(item, [conflict(after, changed)])
        if self._on_conflict is OnConflict.SKIP:
            return Decision(item, ItemAction.SKIPPED, before, None, changed_fields=changed)
        stamped = replace(after, meta=before.meta)
        return Decision(item, ItemAction.CHANGED, before, stamped, changed_fields=changed)


def place_of(resource: Resource) -> tuple[Kind, str, int]:
    """What two items must not share: kind and id, and for templates the version."""
    version = resource.version if isinstance(resource, Template) else 0
    return resource.kind, resource.id, version


def rejected(item: Item, problems: Iterable[WrongField]) -> Decision:
    return Decision(item, ItemAction.REJECTED, problems=tuple(problems))


def twice(item: Item, first: Item) -> WrongField:
    where = f"; it stands first at {first.source}" if first.source else ""
    return WrongField("name", item.name, f"a name that comes once{where}", "ALREADY_EXISTS")


def conflict(after: Resource, changed: Sequence[str]) -> WrongField:
    expected = (
        f"what is there already (it differs in {', '.join(changed)}), "
        "or the choice to skip or to replace it"
    )
    return WrongField("name", after.name, expected, "ALREADY_EXISTS")
