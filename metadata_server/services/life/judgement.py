"""What holds of units besides their state, judged by level: by what is stored now, whatever led
to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from metadata_server.domain.intent.configuration import Configuration
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.drift import (
    differing_fields,
    not_applied,
    unknown_fingerprint,
    uses_configuration,
)
from metadata_server.domain.life.condition import (
    CONFIG_DRIFT,
    DATASET_CONTRADICTS_TEMPLATE,
    NOT_CONVERGING,
    Condition,
)
from metadata_server.domain.life.registration import class_not_hosted, contradiction_condition
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.services.life.configurations import Basis, Configurations, Start, version_of
from metadata_server.services.life.convergence import Traveller, convergences
from metadata_server.services.life.hosting import dataset_of
from metadata_server.store.intent.declarations import former_declarations
from metadata_server.store.life.conditions import NOTHING, Held, HeldByType, conditions_of
from metadata_server.store.life.sessions import sessions_of
from metadata_server.store.life.standings import Standing, standings_of
from metadata_server.store.unit_of_work import UnitOfWork

MOST_FORMER = 20
"""Declarations that are searched for the one whose configuration a unit still uses."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A unit that is judged.

    Attributes:
        session: that hosts it now; None: it does not run.
        held: what was found to hold of it before.
    """

    declared: ControlUnit
    standing: Standing
    session: Session | None
    held: HeldByType


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds of a unit.

    Attributes:
        wait_us: after so long something else may hold of it; 0: not by itself.
    """

    subject: Subject
    after: HeldByType
    wait_us: int = 0

    @property
    def differs(self) -> bool:
        return dict(self.subject.held) != dict(self.after)


class Judge:
    """Judges units within transactions.

    Args:
        grace_us: how long a unit may take to apply what people have just changed, or to come up.
    """

    def __init__(self, configurations: Configurations, *, grace_us: int) -> None:
        self._bases = configurations.bases
        self._grace_us = grace_us

    def verdicts(
        self,
        unit: UnitOfWork,
        keys: Iterable[int],
        claims: Mapping[int, str],
        *,
        lock: bool = False,
    ) -> dict[int, Verdict]:
        """Verdicts by key, of units that are declared and were ever hosted.

        Args:
            claims: hashes of the datasets that units have just reported, by key; taken or not.
            lock: the rows of their statuses.
        """
        subjects = subjects_of(unit, keys, lock=lock)
        versions = {key: version_of(unit, each.declared) for key, each in subjects.items()}
        plain = self._bases(unit, {(*version, "") for version in versions.values()})
        datasets = {
            key: dataset_in(each, plain[*versions[key], ""]) for key, each in subjects.items()
        }
        travellers = {
            key: traveller(each, plain[*versions[key], ""]) for key, each in subjects.items()
        }
        strays = convergences(unit, travellers, grace_us=self._grace_us)
        found = {}
        for key, subject in subjects.items():
            digest = claims.get(key) or claimed_before(subject) or datasets[key]
            claimed: Start = (*versions[key], digest)
            used: Start = (*versions[key], datasets[key])
            bases = self._bases(unit, (claimed, used))
            after = self._contradiction(unit, subject, bases[claimed], digest)
            wait_us = 0
            if not after:
                drift, wait_us = self._drift(unit, subject, bases[used], datasets[key])
                stray, until_us = strays.get(key, (None, 0))
                named = {CONFIG_DRIFT: drift, NOT_CONVERGING: stray}
                after = {type_: held for type_, held in named.items() if held is not None}
                wait_us = min(filter(None, (wait_us, until_us)), default=0)
            found[key] = Verdict(subject, after, wait_us)
        return found

    def _contradiction(
        self, unit: UnitOfWork, subject: Subject, basis: Basis, digest: str
    ) -> HeldByType:
        if basis.contradiction is None:
            return NOTHING
        before = subject.held.get(DATASET_CONTRADICTS_TEMPLATE)
        since_us = before.condition.since_us if before else unit.now_us
        template = basis.narrowing.template
        condition = contradiction_condition(template, basis.contradiction, since_us)
        evidence = f"{digest} {subject.standing.session}"
        return {condition.type: Held(condition, evidence)}

    def _drift(
        self, unit: UnitOfWork, subject: Subject, basis: Basis, digest: str
    ) -> tuple[Held | None, int]:
        """The drift of a unit, or after how long it can be said that there is one."""
        standing, session = subject.standing, subject.session
        if session is None or basis.implementation not in session.classes:
            return None, 0
        if not uses_configuration(State(standing.state), standing.fingerprint):
            return None, 0
        intended = basis.narrowing.configuration(subject.declared)
        if intended.fingerprint == standing.fingerprint:
            return None, 0
        before = subject.held.get(CONFIG_DRIFT)
        news_us = max(subject.declared.meta.update_time_us, session.start_time_us)
        wait_us = news_us + self._grace_us - unit.now_us
        if before is None and wait_us > 0:
            return None, wait_us
        evidence = f"{standing.fingerprint} {intended.fingerprint}"
        if before is not None and before.evidence == evidence:
            return before, 0
        condition = self._explained(unit, subject, intended, digest)
        if before is not None:
            condition = replace(condition, since_us=before.condition.since_us)
        return Held(condition, evidence), 0

    def _explained(
        self, unit: UnitOfWork, subject: Subject, intended: Configuration, digest: str
    ) -> Condition:
        """What a unit uses instead: the configuration of a former declaration, or nothing that
        was ever declared."""
        applied = subject.standing.fingerprint
        since_us = subject.session.start_time_us if subject.session else unit.now_us
        for former in former_declarations(unit, subject.declared.meta.key, limit=MOST_FORMER):
            for configuration in self._configurations(unit, former, {digest, ""}):
                if configuration.fingerprint == applied:
                    return not_applied(differing_fields(configuration, intended), since_us)
            since_us = former.meta.update_time_us
        return unknown_fingerprint(unit.now_us)

    def _configurations(
        self, unit: UnitOfWork, declared: ControlUnit, digests: Iterable[str]
    ) -> list[Configuration]:
        """What a unit was given when it was declared so, with each of some datasets."""
        if not unit.keys.find(Kind.TEMPLATE, [declared.template]):
            return []
        version = version_of(unit, declared)
        if version not in unit.resources.versions([version]):
            return []
        bases = self._bases(unit, [(*version, digest) for digest in digests])
        return [basis.narrowing.configuration(declared) for basis in bases.values()]


def subjects_of(unit: UnitOfWork, keys: Iterable[int], *, lock: bool) -> dict[int, Subject]:
    standings = standings_of(unit, keys, lock=lock)
    declared = unit.resources.of_keys(ControlUnit, standings)
    servers = {each.unit_server for each in declared.values()} - {""}
    sessions = {
        session.id: session
        for session, lease in sessions_of(
            unit, unit.keys.find(Kind.UNIT_SERVER, servers).values()
        ).values()
        if lease is not None and not lease.ended
    }
    held = conditions_of(unit, [key for key, each in standings.items() if each.has_conditions])
    return {
        key: Subject(
            each, standings[key], sessions.get(standings[key].session), held.get(key, NOTHING)
        )
        for key, each in declared.items()
    }


def traveller(subject: Subject, plain: Basis) -> Traveller:
    session, problem = subject.session, ""
    if session is not None and plain.implementation not in session.classes:
        problem = class_not_hosted(subject.declared, plain.implementation, session.classes).message
    return Traveller(subject.declared, subject.standing, session, subject.held, problem)


def dataset_in(subject: Subject, plain: Basis) -> str:
    """Hash of the dataset that counts as that of a unit; empty: none is known."""
    if subject.session is None:
        return subject.standing.dataset
    return dataset_of(subject.session, plain, subject.standing)


def claimed_before(subject: Subject) -> str:
    """The dataset that was found to contradict the template in this session: it was not taken,
    so that only the condition tells of it. Empty: there is none."""
    held = subject.held.get(DATASET_CONTRADICTS_TEMPLATE)
    digest, _, session = held.evidence.partition(" ") if held else ("", "", "")
    return digest if session == subject.standing.session else ""
