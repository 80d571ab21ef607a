"""Versions of templates within one transaction: those that are there and those that come.

What an item about a template means:

| it names | there is | it becomes |
|---|---|---|
| no version | nothing | version 1 |
| no version, DRAFT | a draft | the draft, with this content |
| no version, DRAFT | no draft | the next version, as a draft |
| no version | what the newest (published) version says | nothing new |
| no version | a draft | a problem: publish or discard that first |
| no version | something else | the next version, published |
| a version | none of that number | that version, as it says |
| a version | a draft of that number | that draft, with this content; published if it says so |
| a version | that version, with this content | PUBLISHED or DEPRECATED, as it says |
| a version | that version, with other content | a problem: it is never changed again |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import (
    Template,
    VersionState,
    marks_of,
    newest_published,
    states_of,
)
from metadata_server.domain.names import Kind
from metadata_server.domain.part_checks import version_faults
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource
from metadata_server.store.unit_of_work import UnitOfWork

Settled = tuple[Template, list[WrongField]]
DRAFT, PUBLISHED, DEPRECATED = VersionState.DRAFT, VersionState.PUBLISHED, VersionState.DEPRECATED


class TemplateVersions:
    """Which content each version has, or will have after what has been accepted.

    Args:
        takes_back: units may go back to deprecated versions.
    """

    def __init__(self, unit: UnitOfWork, *, takes_back: bool = False) -> None:
        self._unit = unit
        self._takes_back = takes_back
        self._heads: dict[str, Template] = {}
        self._versions: dict[tuple[str, int], Template] = {}
        self._states: dict[str, dict[int, VersionState]] = {}
        self._fresh: set[tuple[str, int]] = set()

    def load_heads(self, found: Mapping[str, object]) -> None:
        """Learns all versions of the templates that are there."""
        for template in found.values():
            if isinstance(template, Template):
                self._learn_all(template, self._unit.resources.all_versions(template))

    def load_gone(self, gone: Iterable[Template]) -> None:
        """Learns all versions of templates that come back: their numbers are taken for good."""
        for template in gone:
            versions = self._unit.resources.all_versions(template)
            for newest in versions[-1:]:  # none where its only draft was thrown away
                self._learn_all(newest, versions)

    def _learn_all(self, head: Template, versions: Iterable[Template]) -> None:
        stamped = [replace(version, meta=head.meta) for version in versions]
        states = {each.version: each.version_state for each in stamped}
        self._learn_head(replace(head, versions=marks_of(states)))
        self._versions |= {(each.id, each.version): each for each in stamped}

    def forget(self, id: str) -> None:
        """A template does not come back after all."""
        self._heads.pop(id, None)
        for version in self._states.pop(id, {}):
            self._versions.pop((id, version), None)

    def load(self, units: Iterable[ControlUnit]) -> None:
        """Locks the templates that units name, and reads the versions that they name, or that
        new ones may use."""
        units = list(units)
        missing = {unit.template for unit in units} - set(self._heads)
        for template in self._unit.resources.find(Template, missing, lock=True).values():
            self._learn_head(template)
        self._read(
            (unit.template, unit.template_version or self._newest(unit.template))
            for unit in units
            if unit.template in self._heads
        )

    def _read(self, places: Iterable[tuple[str, int]]) -> None:
        """Reads versions that are not known yet, of templates that are."""
        pairs = {
            (self._heads[id].meta.key, version)
            for id, version in set(places) - self._versions.keys()
            if version and self._heads[id].meta.key
        }
        for version in self._unit.resources.versions(pairs).values():
            self._versions[version.id, version.version] = version

    def _learn_head(self, template: Template) -> None:
        self._heads[template.id] = template
        self._versions.setdefault((template.id, template.version), template)
        own = {template.version: template.version_state}
        self._states[template.id] = states_of(template.versions) or own

    def _newest(self, id: str) -> int:
        """The newest version that new units may use; 0: there is none."""
        return newest_published(self._states.get(id, {}))

    def known(self, id: str, version: int) -> Template | None:
        """A version, with the marks of all that there are."""
        found = self._versions.get((id, version))
        return found and replace(found, versions=marks_of(self._states[id]))

    def newest_or(self, id: str, version: int) -> Template | None:
        """The version asked for, or for 0 the newest published one; None: there is none."""
        place = id, version or self._newest(id)
        if place not in self._versions and place[1] in self._states.get(id, {}):
            self._read([place])  # a unit has moved there since it was read without a lock
        return self._versions.get(place)

    def settle(self, template: Template) -> Settled:
        """The template as the version that it becomes, and why it cannot."""
        head = self._heads.get(template.id)
        if template.version:
            return self._settle_named(template, head)
        if template.version_state is DEPRECATED and not stays_deprecated(template, head):
            expected = (
                "PUBLISHED or DRAFT; only a version that is there, by its number, is deprecated"
            )
            return template, [WrongField("version_state", DEPRECATED, expected)]
        if head is None:
            return self._as(template, 1), []
        if head.version_state is DRAFT:
            return self._settle_beside_draft(template, head)
        if template.version_state is not DRAFT and template.has_content_of(head):
            return self._unchanged(head), []
        following = self._as(template, head.version + 1)
        return following, list(version_faults(following.version))

    def _settle_beside_draft(self, template: Template, draft: Template) -> Settled:
        if template.version_state is DRAFT:
            return self._as(template, draft.version), []
        newest = self.newest_or(template.id, 0)
        if newest is not None and template.has_content_of(newest):
            return self._unchanged(newest), []
        return template, [open_draft(template, draft)]

    def _settle_named(self, template: Template, head: Template | None) -> Settled:
        known = self.known(template.id, template.version)
        if known is None:
            return self._settle_number(template, head)
        wanted, present = template.version_state, known.version_state
        same = template.has_content_of(known)
        if same and wanted is present:
            return known, []
        if DRAFT in {wanted, present} and not (present is DRAFT and wanted is not DEPRECATED):
            expected = f"{present}; a version is published once, and never a draft again"
            return template, [WrongField("version_state", wanted, expected)]
        if not same and present is not DRAFT:
            expected = (
                f"the content of version {template.version} as it was published (it differs in "
                f"{', '.join(changed_content(known, template))}), or no version to make the next"
            )
            return template, [WrongField("version", str(template.version), expected)]
        return self._as(template, template.version), []

    def _settle_number(self, template: Template, head: Template | None) -> Settled:
        """A number that no version has yet: a draft is the newest of all, and the only one."""
        newest = head.version if head else 0
        if template.version_state is DRAFT and template.version < newest:
            expected = f"PUBLISHED or DEPRECATED, because version {newest} is there already"
            return template, [WrongField("version_state", DRAFT, expected)]
        if head is not None and head.version_state is DRAFT and template.version > newest:
            return template, [open_draft(template, head)]
        return self._as(template, template.version), []

    def _as(self, template: Template, version: int) -> Template:
        states = {**self._states.get(template.id, {}), version: template.version_state}
        return replace(template, version=version, versions=marks_of(states))

    def _unchanged(self, template: Template) -> Template:
        return replace(template, versions=marks_of(self._states[template.id]))

    def accept(self, template: Template) -> None:
        """Takes a version as being there for all that comes after."""
        place = template.id, template.version
        if place not in self._versions:
            self._fresh.add(place)
        self._versions[place] = template
        self._states[template.id] = states_of(template.versions)
        head = self._heads.get(template.id)
        if head is None or template.version >= head.version:
            self._heads[template.id] = template

    def refusals(
        self, unit: ControlUnit, version: Template, before: Resource | None
    ) -> list[WrongField]:
        """Why a unit cannot stand on a version that is there. On a deprecated one those stay
        that stand on it; and those come that go back to it, or were exported with it."""
        if version.version_state is DRAFT:
            return [not_usable(unit, version, self._newest(unit.template), "STILL_A_DRAFT")]
        place = version.id, version.version
        if version.version_state is PUBLISHED or self._takes_back:
            return []
        if place in self._fresh or place == place_of(before):
            return []
        return [not_usable(unit, version, self._newest(unit.template), "VERSION_DEPRECATED")]

    def missing(self, unit: ControlUnit) -> WrongField:
        """That a unit names a template or a version that is not there."""
        head = self._heads.get(unit.template)
        name = Kind.TEMPLATE.name_of(unit.template)
        if head is None:
            expected = "a template that is there, or comes in the same bundle"
            return WrongField("template", name, expected, Kind.TEMPLATE.not_found)
        newest = self._newest(unit.template)
        if not unit.template_version:
            reason = "STILL_A_DRAFT" if head.version_state is DRAFT else "VERSION_DEPRECATED"
            return not_usable(unit, head, newest, reason)
        expected = f"a version of {name}{newest_words(newest)}"
        return WrongField(
            "template_version", str(unit.template_version), expected, Kind.TEMPLATE.not_found
        )


def place_of(unit: Resource | None) -> tuple[str, int] | None:
    """The template and the version that a unit stands on."""
    return (unit.template, unit.template_version) if isinstance(unit, ControlUnit) else None


def not_usable(unit: ControlUnit, version: Template, newest: int, reason: str) -> WrongField:
    what = "a draft" if version.version_state is DRAFT else "deprecated"
    expected = (
        f"a published version of {version.name}{newest_words(newest)}; "
        f"version {version.version} is {what}"
    )
    return WrongField("template_version", str(unit.template_version), expected, reason)


def newest_words(newest: int) -> str:
    return f", the newest being {newest}" if newest else ", which has none yet"


def open_draft(template: Template, draft: Template) -> WrongField:
    expected = (
        f"DRAFT, because version {draft.version} of {template.name} is a draft: publish or "
        "discard that first"
    )
    return WrongField("version_state", template.version_state, expected)


def stays_deprecated(template: Template, head: Template | None) -> bool:
    return head is not None and head.version_state is DEPRECATED and template.has_content_of(head)


def as_next(template: Template, before: VersionState) -> Template:
    """A template that somebody has changed, as an item for `settle`: of a draft as the draft,
    of others as what comes next.

    Args:
        before: where the newest version stands.
    """
    state = template.version_state
    if before is DEPRECATED and state is DEPRECATED:
        state = PUBLISHED
    return replace(template, version=0, version_state=state)


def changed_content(before: Template, after: Template) -> list[str]:
    server_side = {"version", "version_state", "versions"}
    return [name for name in before.changed_fields(after) if name not in server_side]


def without_draft(draft: Template, below: Template) -> Template:
    """What a template is when its draft is thrown away: the version below it again."""
    states = states_of(draft.versions)
    del states[draft.version]
    return replace(below, meta=draft.meta, versions=marks_of(states))
