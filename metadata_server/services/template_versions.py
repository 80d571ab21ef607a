"""Versions of templates within one transaction: those that are there and those that come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from metadata_server.domain.control_unit import ControlUnit
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import WrongField
from metadata_server.domain.template import Template, VersionState
from metadata_server.store.unit_of_work import UnitOfWork


class TemplateVersions:
    """Which content each version has, or will have after what has been accepted."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._heads: dict[str, Template] = {}
        self._versions: dict[tuple[str, int], Template] = {}
        self._accepted: list[Template] = []

    def load_heads(self, found: Mapping[str, object]) -> None:
        """Learns all versions of the templates that are there."""
        for template in found.values():
            if isinstance(template, Template):
                self._learn_head(template)
                for version in self._unit.resources.all_versions(template):
                    self._versions[version.id, version.version] = replace(
                        version, meta=template.meta
                    )

    def load(self, units: Iterable[ControlUnit]) -> None:
        """Locks the templates that units name, and reads the versions that they name."""
        units = list(units)
        missing = {unit.template for unit in units} - set(self._heads)
        for template in self._unit.resources.find(Template, missing, lock=True).values():
            self._learn_head(template)
        wanted = {
            (self._heads[unit.template].meta.key, unit.template_version)
            for unit in units
            if unit.template_version
            and unit.template in self._heads
            and (unit.template, unit.template_version) not in self._versions
            and self._heads[unit.template].meta.key
        }
        for version in self._unit.resources.versions(wanted).values():
            self._versions[version.id, version.version] = version

    def _learn_head(self, template: Template) -> None:
        self._heads[template.id] = template
        self._versions.setdefault((template.id, template.version), template)

    def known(self, id: str, version: int) -> Template | None:
        return self._versions.get((id, version))

    def newest_or(self, id: str, version: int) -> Template | None:
        """The version asked for, or for 0 the newest; None: there is none."""
        return self._versions.get((id, version)) if version else self._heads.get(id)

    def settle(self, template: Template) -> tuple[Template, list[WrongField]]:
        """The template with the version that it gets, and why it cannot have the one it names.

        Without a version it is the newest if its content is the same, else the next. A version
        that is published is never changed.
        """
        head = self._heads.get(template.id)
        if template.version == 0:
            if head is None:
                return replace(template, version=1), []
            same = replace(template, version=head.version, version_state=head.version_state)
            return (same, []) if same == head else (replace(template, version=head.version + 1), [])
        known = self.known(template.id, template.version)
        if known is None or known == template or known.version_state is VersionState.DRAFT:
            return template, []
        expected = (
            f"the content of version {template.version} as it was published (it differs in "
            f"{', '.join(known.changed_fields(template))}), or no version to make the next one"
        )
        return template, [WrongField("version", str(template.version), expected)]

    def accept(self, template: Template) -> None:
        """Takes a version as being there for all that comes after."""
        self._versions[template.id, template.version] = template
        self._accepted.append(template)
        head = self._heads.get(template.id)
        if head is None or template.version > head.version:
            self._heads[template.id] = template

    def missing(self, unit: ControlUnit) -> WrongField:
        """That a unit names a template or a version that nobody can use."""
        head = self._heads.get(unit.template)
        name = Kind.TEMPLATE.name_of(unit.template)
        if head is None:
            expected = "a template that is there, or comes in the same bundle"
            return WrongField("template", name, expected, Kind.TEMPLATE.not_found)
        expected = f"a published version of {name}, the newest being {head.version}"
        return WrongField(
            "template_version", str(unit.template_version), expected, Kind.TEMPLATE.not_found
        )
