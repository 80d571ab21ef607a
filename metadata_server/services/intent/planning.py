"""Decides what becomes of resources that someone wants to be so: one mechanism for single
writes and for bundles.

Everything is read and locked first, kind by kind in the order in which kinds refer to each
other; then each item is checked against what is there and against the rest of the bundle; all
problems are found, not the first. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from metadata_server.domain import checks
from metadata_server.domain.intent.attribute import Attribute
from metadata_server.domain.intent.bundle import (
    WRITING,
    Decision,
    Item,
    ItemAction,
    OnConflict,
    PruneScope,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Policy
from metadata_server.domain.intent.fit import may_fit_less, unit_misfits
from metadata_server.domain.intent.policy import Touched, touched
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guard_checks import unknown_mode
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Meta, Resource
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.removals import Removals, Subject, pruned
from metadata_server.services.intent.template_versions import TemplateVersions
from metadata_server.services.orchestration.restraints import Restraints
from metadata_server.store.intent.dependants import references_of
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.life.published import published_attributes
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

Places = list[tuple[int, Item]]
"""Items with their places in the bundle."""


class Planning:
    """The decisions about some items, within one transaction."""

    def __init__(
        self,
        unit: UnitOfWork,
        *,
        on_conflict: OnConflict,
        progress: ApplyProgress | None = None,
        takes_back: bool = False,
    ) -> None:
        """
        Args:
            takes_back: things become what they were: units may stand on deprecated versions.
        """
        self._unit = unit
        self._on_conflict = on_conflict
        self._progress = progress or ApplyProgress()
        self._templates = TemplateVersions(unit, takes_back=takes_back)
        self._before: dict[Subject, Resource] = {}
        self._of_keys: dict[int, Resource] = {}
        self._keyed: set[int] = set()
        self._coming: dict[Kind, set[str]] = defaultdict(set)
        self._referred: dict[Kind, set[str]] = defaultdict(set)
        self._published: dict[int, tuple[Attribute, ...]] = {}
        self._restraints = Restraints(unit)
        self._machines: dict[str, MachineMode] = {}

    def decide(self, items: Sequence[Item], prune: Sequence[PruneScope] = ()) -> list[Decision]:
        """One decision an item, in the order of the items; then those of what is pruned.

        Raises:
            Refused: REASON_REQUIRED.
        """
        everything = [*items, *pruned(self._unit, prune, items)]
        decisions: list[Decision | None] = [None] * len(everything)
        writes: dict[Kind, Places] = defaultdict(list)
        removals: dict[Kind, Places] = defaultdict(list)
        twins = Twins()
        for place, item in enumerate(everything):
            if item.subject is None or item.faults:
                decisions[place] = rejected(item, item.faults)
            elif (twin := twins.of(item)) is not None:
                decisions[place] = rejected(item, [twice(item, twin)])
            else:
                (removals if item.removed else writes)[item.subject[0]].append((place, item))
        self._refer(item for places in writes.values() for _, item in places)
        for kind in DECLARED:
            self._load(kind, writes[kind], removals[kind])
            for place, item in writes[kind]:
                decisions[place] = self._write(kind, item)
        settled = [each for each in decisions if each is not None]
        remover = Removals(self._unit, settled, self._restraints)
        for kind in reversed(DECLARED):
            going = [item for _, item in removals[kind]]
            decided = remover.decide(kind, going, self._before)
            self._progress.checked += len(going)
            for (place, _), decision in zip(removals[kind], decided, strict=True):
                decisions[place] = decision
        found = [decision for decision in decisions if decision is not None]
        self._unit.check_role(changed_by(found))
        self._unit.check_reason(changed_by(found))
        return found

    @property
    def subjects(self) -> Collection[Subject]:
        """Everything that the decisions rest on, as far as it is there."""
        return self._before.keys()

    def _refer(self, items: Iterable[Item]) -> None:
        """Takes down what items refer to, so that each kind is locked in one go, sorted."""
        for item in items:
            assert item.resource is not None
            for kind, id in references_of(item.resource):
                self._referred[kind].add(id)

    def _load(self, kind: Kind, writes: Places, removals: Places) -> None:
        """Reads and locks what is there of the items, and what others refer to, so that nobody
        deletes it before this is written."""
        subjects = (item.subject for _, item in (*writes, *removals))
        wanted = self._referred[kind] | {subject[1] for subject in subjects if subject}
        type_ = LAYOUTS[kind].type
        found = self._unit.resources.find(type_, wanted, lock=True)
        self._before |= {(kind, id): resource for id, resource in found.items()}
        keys = {item.key for _, item in writes if item.key}
        self._keyed |= keys
        self._of_keys |= self._unit.resources.of_keys(type_, keys, lock=True)
        resources = [item.resource for _, item in writes if item.resource is not None]
        if kind is Kind.TEMPLATE:
            written = {resource.id for resource in resources} & found.keys()
            self._templates.load_heads({id: found[id] for id in written})
            self._templates.load_gone(self._gone_templates(writes))
        elif kind is Kind.CONTROL_UNIT:
            self._templates.load(r for r in resources if isinstance(r, ControlUnit))
            keys |= {resource.meta.key for resource in found.values()}
            self._published = published_attributes(self._unit, keys)

    def _gone_templates(self, writes: Places) -> Iterator[Template]:
        """Templates that come back under their keys, unless others have their ids by now."""
        for _, item in writes:
            if (
                item.key
                and item.subject not in self._before
                and isinstance(item.resource, Template)
            ):
                yield replace(item.resource, meta=Meta(key=item.key))

    def _there(self, item: Item) -> Resource | None:
        """What is there of an item, perhaps under another id."""
        if item.key:
            return self._of_keys.get(item.key)
        return self._before.get(item.subject) if item.subject else None

    def _taken(self, item: Item) -> list[WrongField]:
        """That something else has the id that an item comes back to, or gets."""
        holder = self._before.get(item.subject) if item.key and item.subject else None
        if holder is None or holder.meta.key in self._keyed:
            return []
        return [WrongField("name", item.name, "a name that nothing else has", "ALREADY_EXISTS")]

    def _write(self, kind: Kind, item: Item) -> Decision:
        if item.change is not None:
            there = self._there(item)
            if there is None:
                raise LostRace
            item = replace(item, resource=item.change(there), change=None)
        decision = self._decide(item)
        self._progress.checked += 1
        self._unit.give_word()
        if decision.action is not ItemAction.REJECTED and item.resource is not None:
            self._coming[kind].add(item.resource.id)
        return decision

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
        if isinstance(resource, Policy):
            problems += self._missing(Kind.TEMPLATE, resource.template, "template")
        if isinstance(resource, Maintenance | Guard | UnitList):
            problems += self._nobody(resource, self._there(item))
        if isinstance(resource, Guard):
            problems += self._machine(resource)
        if isinstance(resource, MachineMode):
            self._machines[resource.id] = resource
        return self._compare(item, resource, problems)

    def _decide_template(self, item: Item, template: Template) -> Decision:
        problems = list(checks.faults_of(template))
        before = self._there(item)
        after, more = self._templates.settle(template)
        beside = self._version(item, after, before)
        decision = self._compare(item, after, problems + more, before=beside)
        if decision.action in {ItemAction.CREATED, ItemAction.CHANGED}:
            self._templates.accept(after)
        elif item.key and item.subject not in self._before:
            self._templates.forget(template.id)
        return decision

    def _version(self, item: Item, after: Template, before: Resource | None) -> Resource | None:
        """What an item about a version is compared with: that version, or the newest; nothing,
        where the template comes back."""
        if before is None and item.key:
            return None
        return self._templates.known(after.id, after.version) or before

    def _decide_control_unit(self, item: Item, unit: ControlUnit) -> Decision:
        problems = self._missing(Kind.UNIT_SERVER, unit.unit_server, "unit_server")
        template = self._templates.newest_or(unit.template, unit.template_version)
        if template is None:
            return rejected(item, [*problems, self._templates.missing(unit)])
        pinned = unit
        if unit.template_version != template.version:
            pinned = replace(unit, template_version=template.version)
        before = self._there(item)
        assert before is None or isinstance(before, ControlUnit)
        problems += self._templates.refusals(unit, template, before)
        problems += checks.faults_of(pinned)
        if may_fit_less(before, pinned):
            published = self._published.get(before.meta.key) if before else None
            problems += unit_misfits(pinned, template, published)
        problems += self._restraints.refusals(before, pinned)
        return self._compare(item, pinned, problems, before=before)

    def _nobody(
        self, after: Maintenance | Guard | UnitList, before: Resource | None
    ) -> Iterator[WrongField]:
        """What a maintenance, a guard or a list comes to name and is not there: nobody would be
        left alone. What it named before may have gone since."""
        for kind, field in (
            (Kind.CONTROL_UNIT, "control_units"),
            (Kind.UNIT_SERVER, "unit_servers"),
            (Kind.TEMPLATE, "templates"),
        ):
            new = set(getattr(after, field, ())) - set(getattr(before, field, ()))
            there = self._unit.keys.find(kind, new).keys() | self._coming[kind]
            for id in sorted(new - there):
                expected = f"a {kind.words} that is there, or comes earlier in the same bundle"
                yield WrongField(field, kind.name_of(id), expected, kind.not_found)

    def _machine(self, guard: Guard) -> Iterator[WrongField]:
        """What is wrong with the machine mode that a guard goes by, and the modes of it."""
        yield from self._missing(Kind.MACHINE_MODE, guard.machine_mode, "machine_mode")
        there = self._before.get((Kind.MACHINE_MODE, guard.machine_mode))
        machine = self._machines.get(guard.machine_mode, there)
        if isinstance(machine, MachineMode):
            for position, mode in enumerate(guard.modes):
                if mode not in machine.modes:
                    yield unknown_mode(f"modes[{position}]", mode, machine)

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
        before = before or self._there(item)
        if problems := [*self._taken(item), *problems]:
            return rejected(item, problems)
        if before is None:
            fresh = replace(after, meta=Meta(key=item.key))
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


def changed_by(decisions: Iterable[Decision]) -> Iterator[Touched]:
    """What decisions change, as it is and as it shall be."""
    for decision in decisions:
        if decision.action in WRITING:
            yield from (touched(r) for r in (decision.before, decision.after) if r is not None)


class Twins:
    """Finds items about what an earlier one is about already: of templates the same version, of
    removals anything of that name."""

    def __init__(self) -> None:
        self._removed: dict[Subject, Item] = {}
        self._named: dict[Subject, Item] = {}
        self._versions: dict[tuple[Subject, int], Item] = {}

    def of(self, item: Item) -> Item | None:
        """The earlier item; None: this is the first."""
        assert item.subject is not None
        subject = item.subject
        if item.removed:
            twin = self._named.get(subject)
            self._removed.setdefault(subject, item)
        else:
            version = item.resource.version if isinstance(item.resource, Template) else 0
            first = self._versions.setdefault((subject, version), item)
            twin = self._removed.get(subject) or (None if first is item else first)
        self._named.setdefault(subject, item)
        return twin


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
