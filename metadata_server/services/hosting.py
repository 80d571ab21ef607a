"""What a unit server hosts in its session, and what each of its units is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.change import Position
from metadata_server.domain.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.names import Kind
from metadata_server.domain.registration import Assignment, class_not_hosted, contradicting
from metadata_server.domain.session import Session
from metadata_server.domain.state import State
from metadata_server.services.configurations import (
    Basis,
    Configurations,
    Version,
    missing_datasets,
    version_of,
)
from metadata_server.store.hosted import hosted_units, removed_keys
from metadata_server.store.instantiations import begin_lives
from metadata_server.store.sessions import lock_unit_server, sessions_of
from metadata_server.store.statuses import save_statuses, statuses_of
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class HostedUnit:
    """A unit of a session, as its unit server and its status row know it.

    Attributes:
        version: key and version of its template.
        told: fingerprint of what it was told to use; empty with a problem.
        applied: fingerprint of what it said it uses.
        dataset: hash that its status has.
        is_settled: it has reached this generation.
    """

    id: str
    key: int
    version: Version
    generation: int
    told: str
    applied: str
    dataset: str
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One unit with what it is told."""

    hosted: HostedUnit
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a session has when it attaches.

    Attributes:
        position: everything up to here is in it.
        removed: ids of units that have left it.
        missing_datasets: hashes that its classes publish and the store lacks.
    """

    position: Position
    told: list[Told]
    removed: tuple[str, ...]
    missing_datasets: tuple[str, ...]


class Hosting:
    """Works out assignments and begins lives, within transactions."""

    def __init__(self, configurations: Configurations) -> None:
        self._configurations = configurations

    def begin(
        self,
        unit: UnitOfWork,
        session: Session,
        units: Sequence[ControlUnit],
        *,
        join: bool = False,
    ) -> list[Told]:
        """Stamps units with a session, and begins their lives; `join`: it runs already."""
        statuses = statuses_of(unit, [each.meta.key for each in units], lock=True)
        told = self.tell(unit, session, units, statuses)
        begin_lives(unit, session, units, join=join)
        now_us = unit.claim().now_us
        save_statuses(unit, [first_status(each, session, now_us) for each in told])
        return told

    def arrive(self, unit: UnitOfWork, session: Session) -> Arrival:
        """All that a session has, when its unit server attaches."""
        position = unit.position
        told = self.look(unit, session)
        gone = set(removed_keys(unit, session.id)) - {each.hosted.key for each in told}
        unit.keys.find_ids(Kind.CONTROL_UNIT, gone)
        removed = tuple(sorted(unit.keys.id_of(Kind.CONTROL_UNIT, key) for key in gone))
        missing = missing_datasets(unit, session.datasets.values())
        return Arrival(position, told, removed, missing)

    def look(
        self, unit: UnitOfWork, session: Session, keys: Collection[int] | None = None
    ) -> list[Told]:
        """What units are told now; those that have come to this unit server are taken in.

        Args:
            keys: of some units; None: all that are hosted. Those that are not hosted here any
                more are left out.
        """
        units = hosted_units(unit, session.unit_server_key, keys)
        statuses = statuses_of(unit, [each.meta.key for each in units])
        newcomers = [each for each in units if not is_stamped(each, session, statuses)]
        if newcomers and self._may_stamp(unit, session):
            self.begin(unit, session, newcomers, join=True)
            statuses |= statuses_of(unit, [each.meta.key for each in newcomers])
        return self.tell(unit, session, units, statuses)

    def _may_stamp(self, unit: UnitOfWork, session: Session) -> bool:
        """Whether the session still is the one of its unit server, which is locked."""
        lock_unit_server(unit, session.unit_server_key)
        last, _ = sessions_of(unit, [session.unit_server_key])[session.unit_server_key]
        return last.id == session.id and last.end_time_us is None

    def tell(
        self,
        unit: UnitOfWork,
        session: Session,
        units: Sequence[ControlUnit],
        statuses: Mapping[int, ControlUnitStatus],
    ) -> list[Told]:
        """What each unit is told, without changing anything."""
        before = [
            statuses.get(each.meta.key) or ControlUnitStatus(id=each.id, key=each.meta.key)
            for each in units
        ]
        versions = [version_of(unit, each) for each in units]
        configurations = self._configurations
        plain = configurations.bases_of(unit, [(*version, "") for version in versions])
        wanted = [
            dataset_of(session, basis, status) for basis, status in zip(plain, before, strict=True)
        ]
        bases = configurations.bases_of(
            unit, [(*version, digest) for version, digest in zip(versions, wanted, strict=True)]
        )
        return [
            told_of(session, each, version, digest=digest, basis=basis, status=status)
            for each, version, digest, basis, status in zip(
                units, versions, wanted, bases, before, strict=True
            )
        ]


def is_stamped(
    control_unit: ControlUnit, session: Session, statuses: Mapping[int, ControlUnitStatus]
) -> bool:
    status = statuses.get(control_unit.meta.key)
    return status is not None and status.session == session.id


def dataset_of(session: Session, basis: Basis, status: ControlUnitStatus) -> str:
    """Hash of the dataset that counts: what the unit itself has reported in this session, else
    what its class publishes in this process, else what was known before."""
    reported = status.session == session.id and status.sequence > 0 and status.dataset
    return reported or session.datasets.get(basis.implementation, "") or status.dataset


def told_of(
    session: Session,
    control_unit: ControlUnit,
    version: Version,
    *,
    digest: str,
    basis: Basis,
    status: ControlUnitStatus,
) -> Told:
    problem = None
    if basis.implementation not in session.classes:
        problem = class_not_hosted(control_unit, basis.implementation, session.classes)
    elif basis.contradiction is not None:
        template = basis.narrowing.template
        problem = contradicting(control_unit.id, template, digest, basis.contradiction)
    configuration = None if problem else basis.narrowing.configuration(control_unit)
    fingerprint = configuration.fingerprint if configuration else ""
    hosted = HostedUnit(
        id=control_unit.id,
        key=control_unit.meta.key,
        version=version,
        generation=control_unit.meta.generation,
        told=fingerprint,
        applied=status.fingerprint if status.session == session.id else "",
        dataset=basis.dataset or status.dataset,
        is_settled=status.reached_generation == control_unit.meta.generation,
    )
    return Told(hosted, Assignment(control_unit, configuration, fingerprint, problem))


def first_status(told: Told, session: Session, now_us: int) -> ControlUnitStatus:
    """A unit that has just been taken in: nothing is built yet."""
    problem = told.assignment.problem
    return ControlUnitStatus(
        id=told.hosted.id,
        key=told.hosted.key,
        unit_server=session.unit_server,
        session=session.id,
        state=State.UNLOADED,
        state_time_us=now_us,
        message=problem.message if problem else "",
        dataset=told.hosted.dataset,
    )


def without_held(told: Sequence[Told], held: Mapping[str, str]) -> tuple[Assignment, ...]:
    """Assignments without the configurations that a process holds already, by fingerprint."""
    return tuple(
        replace(each.assignment, configuration=None)
        if each.assignment.fingerprint and held.get(each.hosted.id) == each.assignment.fingerprint
        else each.assignment
        for each in told
    )
