"""Resources of some revision as a filter looks at them in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from metadata_server.domain.filter.asked import Asked
from metadata_server.domain.filter.subject import UnitSubject
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.timing import NEVER_SUSPECT_US
from metadata_server.domain.names import Kind
from metadata_server.store.filter.said import SAID_SOURCES
from metadata_server.store.filter.unit_sources import REPORTED_SOURCES
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.life.programs import agents_with_reports, servers_with_sessions
from metadata_server.store.past.past import ids_at, resources_at
from metadata_server.store.past.past_statuses import statuses_at
from metadata_server.store.past.status_changes import Verdicts
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a filter looks at, as of a revision.

    Attributes:
        is_present: what the server alone can say of a unit is said as of now: the revision is
            that of a list which began a moment ago.
        suspect_us: an agent that has said nothing for longer is SUSPECT.
    """

    unit: UnitOfWork
    asked: Asked
    kind: Kind
    revision: int
    is_present: bool = field(kw_only=True)
    suspect_us: int = NEVER_SUSPECT_US

    def of(self, keys: Mapping[str, int]) -> dict[int, Any]:
        """Subjects by key, of those of some ids and keys that were there."""
        found = resources_at(self.unit, LAYOUTS[self.kind].type, keys.values(), self.revision)
        if self.kind is not Kind.CONTROL_UNIT:
            is_said = not SAID_SOURCES.get(self.kind, {}).keys().isdisjoint(self.asked.names)
            return self._with_what_they_said(found) if is_said else dict(found)
        units = self._named(
            {key: each for key, each in found.items() if isinstance(each, ControlUnit)}
        )
        subjects = {key: UnitSubject(declared=each) for key, each in units.items()}
        if REPORTED_SOURCES.keys().isdisjoint(self.asked.names):
            return dict(subjects)
        return dict(self._reported(subjects, keys))

    def _with_what_they_said(self, found: Mapping[int, Any]) -> dict[int, Any]:
        """As of now: lists of the past are not asked for it."""
        if self.kind is Kind.AGENT:
            return dict(agents_with_reports(self.unit, found, suspect_us=self.suspect_us))
        return dict(servers_with_sessions(self.unit, found))

    def _named(self, units: Mapping[int, ControlUnit]) -> dict[int, ControlUnit]:
        """Units with the names that their templates and unit servers had then; what is gone by
        now is named as it was last."""
        find = self.unit.keys.find
        templates = find(Kind.TEMPLATE, {each.template for each in units.values()})
        servers = find(Kind.UNIT_SERVER, {each.unit_server for each in units.values()} - {""})
        then = ids_at(self.unit, [*templates.values(), *servers.values()], self.revision)
        return {
            key: replace(
                each,
                template=then.get(templates.get(each.template, 0), each.template),
                unit_server=then.get(servers.get(each.unit_server, 0), each.unit_server),
            )
            for key, each in units.items()
        }

    def _reported(
        self, subjects: Mapping[int, UnitSubject], keys: Mapping[str, int]
    ) -> dict[int, UnitSubject]:
        there = {id: key for id, key in keys.items() if key in subjects}
        statuses = statuses_at(self.unit, there, self.revision)
        if not self.is_present:
            return {each.key: replace(subjects[each.key], status=each) for each in statuses}
        servers = self.unit.keys.find(
            Kind.UNIT_SERVER, {each.unit_server for each in statuses} - {""}
        )
        rows = [
            {
                "kind": Kind.CONTROL_UNIT_STATUS.value,
                "key": each.key,
                "unit_server_key": servers.get(each.unit_server),
            }
            for each in statuses
        ]
        verdicts = Verdicts(self.unit, rows)
        return {
            each.key: replace(
                subjects[each.key],
                status=verdicts.complete(each),
                contact=verdicts.contact(each.session),
                health=verdicts.health(each),
            )
            for each in statuses
        }
