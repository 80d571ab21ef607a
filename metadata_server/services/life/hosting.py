"""What a unit server hosts in its session, and what each of its units is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from metadata_server.domain.change import Position
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.condition import outlives_session
from metadata_server.domain.life.registration import Assignment, class_not_hosted, contradicting
from metadata_server.domain.life.session import Session
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.services.life.configurations import (
    Basis,
    Configurations,
    Version,
    missing_datasets,
    version_of,
)
from metadata_server.store.life.conditions import HeldByType, conditions_of, drop_mortal
from metadata_server.store.life.conditions import told as conditions_in
from metadata_server.store.life.hosted import (
    changed_keys,
    check_hosted,
    hosted_among,
    hosted_units,
    removed_keys,
)
from metadata_server.store.life.instantiations import begin_lives, leaving_ids, leaving_keys
from metadata_server.store.life.leases import ended_among
from metadata_server.store.life.sessions import lock_unit_server, sessions_of
from metadata_server.store.life.standings import Newcomer, Standing, stamp, standings_of
from metadata_server.store.orchestration.maintenances import coverage_now, have_changed, have_turned
from metadata_server.store.past.past import ids_at, ids_ever
from metadata_server.store.unit_of_work import UnitOfWork

IdsByKey = dict[int, set[str]]
"""Ids by which units are or were known, by their keys."""


@dataclass(slots=True)
class HostedUnit:
    """A unit of a session, as its unit server and its status row know it; what it reports
    changes it.

    Attributes:
        version: key and version of its template.
        told: fingerprint of what it was told to use; empty with a problem.
        applied: fingerprint of what it said it uses.
        dataset: hash that its status has.
        is_settled: it has reached this generation.
        has_conditions: something was found to hold of it besides.
        is_failing: it is in an error, or its unit server has trouble with it.
        in_maintenance: it was told to leave itself as it is.
    """

    id: str
    key: int
    version: Version
    generation: int
    told: str
    applied: str
    dataset: str
    is_settled: bool
    has_conditions: bool = False
    is_failing: bool = False
    in_maintenance: bool = False

    @property
    def is_doubtful(self) -> bool:
        """Whether something may hold of it besides, or hold no more: it cannot be built, fails, or
        uses something else than it should."""
        differs = bool(self.applied) and self.applied != self.told
        return self.has_conditions or self.is_failing or not self.told or differs


@dataclass(frozen=True, slots=True)
class Told:
    """One unit with what it is told."""

    hosted: HostedUnit
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Looked:
    """What a session is told of the units that it hosts.

    Attributes:
        waiting: units that come to it when another unit server has let go of them; see `held_among`.
    """

    told: list[Told]
    waiting: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a session has when it attaches.

    Attributes:
        position: everything up to here is in it.
        removed: ids of units that have left it, by their keys.
        missing_datasets: hashes that its classes publish and the store lacks.
        tells_all: units may have come into maintenance, or out of it, while it was away.
    """

    position: Position
    looked: Looked
    removed: IdsByKey
    missing_datasets: tuple[str, ...]
    tells_all: bool = False


class Hosting:
    """Works out assignments and begins lives, within transactions."""

    def __init__(self, configurations: Configurations) -> None:
        self._configurations = configurations

    def prepare(
        self, unit: UnitOfWork, session: Session, units: Sequence[ControlUnit]
    ) -> list[Told]:
        """What units will be told when they are taken in, without those that another unit server
        has not let go of; locks what `take_in` writes, so that the revision is claimed late and
        held for a few statements only."""
        known = standings_of(unit, [each.meta.key for each in units], lock=True)
        waiting = held_elsewhere(unit, session, units, known)
        free = [each for each in units if each.meta.key not in waiting]
        return self._tell(unit, session, free, known, coverage_now(unit))

    def take_in(
        self, unit: UnitOfWork, session: Session, told: Sequence[Told], *, join: bool = False
    ) -> None:
        """Stamps units with a session, and begins their lives; `join`: it runs already.

        Raises:
            LostRace: somebody has taken one away since it was found; all who came before are seen
                once the revision is claimed.
        """
        unit.claim()
        check_hosted(unit, session.unit_server_key, [each.hosted.key for each in told])
        begin_lives(unit, session, [each.assignment.unit for each in told], join=join)
        held = conditions_of(unit, [e.hosted.key for e in told if e.hosted.has_conditions])
        drop_mortal(unit, {key: conditions_in(each) for key, each in held.items()})
        stamp(unit, session, [newcomer(each, held.get(each.hosted.key, {})) for each in told])

    def arrive(self, unit: UnitOfWork, session: Session, after: int) -> Arrival:
        """All that a session has, when its unit server attaches, which has been told everything
        up to the revision `after`; 0: nothing."""
        position = unit.position
        looked = self.look_at(unit, session)
        told = known_before(unit, looked.told, after)
        removed = gone(unit, session, (each.hosted.key for each in told))
        missing = missing_datasets(unit, session.datasets.values())
        turned = have_changed(unit, after) or have_turned(unit, session.start_time_us)
        found = replace(looked, told=told)
        return Arrival(position, found, removed, missing, tells_all=turned)

    def changed(
        self, unit: UnitOfWork, session: Session, since: Position
    ) -> tuple[list[int], IdsByKey] | None:
        """Keys of the units that have changed or come since, and ids of those that have left, by
        their keys; None: the session has ended."""
        if ended_among(unit, [session.id]):
            return None
        changed = changed_keys(unit, session, since.revision)
        return changed, gone(unit, session, changed)

    def look(self, unit: UnitOfWork, session: Session) -> list[Told]:
        """What all units of a session are told now."""
        return self.look_at(unit, session).told

    def look_at(
        self, unit: UnitOfWork, session: Session, keys: Collection[int] | None = None
    ) -> Looked:
        """What units are told now; those that have come to this unit server are taken in, unless
        another has not let go of them.

        Args:
            keys: of some units; None: all that are hosted. Those that are not hosted here any
                more are left out.
        """
        units = hosted_units(unit, session.unit_server_key, keys)
        known = standings_of(unit, [each.meta.key for each in units])
        waiting = held_elsewhere(unit, session, units, known)
        units = [each for each in units if each.meta.key not in waiting]
        newcomers = [each for each in units if not is_stamped(each, session, known)]
        if newcomers and self._may_stamp(unit, session):
            self.take_in(unit, session, self.prepare(unit, session, newcomers), join=True)
            known |= standings_of(unit, [each.meta.key for each in newcomers])
        return Looked(self._tell(unit, session, units, known, coverage_now(unit)), waiting)

    def look_over(
        self, unit: UnitOfWork, asked: Sequence[tuple[Session, Collection[int]]]
    ) -> list[list[Told] | None]:
        """As `look_at`, for many sessions and some units of each, without changing anything; None
        for a session that has to take units in."""
        found = hosted_among(unit, {key for _, keys in asked for key in keys})
        known = standings_of(unit, found)
        coverage = coverage_now(unit)
        told: list[list[Told] | None] = []
        for session, keys in asked:
            there = (found[key] for key in keys if key in found)
            mine = (each for each, server in there if server == session.unit_server_key)
            units = sorted(mine, key=lambda each: each.id)
            are_known = all(is_stamped(each, session, known) for each in units)
            told.append(self._tell(unit, session, units, known, coverage) if are_known else None)
        return told

    def _may_stamp(self, unit: UnitOfWork, session: Session) -> bool:
        """Whether the session still is the one of its unit server, which is locked."""
        lock_unit_server(unit, session.unit_server_key)
        last, _ = sessions_of(unit, [session.unit_server_key])[session.unit_server_key]
        return last.id == session.id and last.end_time_us is None

    def _tell(
        self,
        unit: UnitOfWork,
        session: Session,
        units: Sequence[ControlUnit],
        known: Mapping[int, Standing],
        coverage: Coverage,
    ) -> list[Told]:
        """What each unit is told, without changing anything."""
        found = [
            (each, version_of(unit, each), known.get(each.meta.key) or Standing(each.meta.key))
            for each in units
        ]
        bases = self._configurations.bases
        plain = bases(unit, {(*version, "") for _, version, _ in found})
        starts = [
            (*version, dataset_of(session, plain[*version, ""], standing))
            for _, version, standing in found
        ]
        full = bases(unit, starts)
        told = [
            told_of(session, each, full[start], digest=start[2], standing=standing)
            for (each, _, standing), start in zip(found, starts, strict=True)
        ]
        return told if coverage.is_empty else [left_alone(each, coverage) for each in told]


def known_before(unit: UnitOfWork, told: Sequence[Told], after: int) -> list[Told]:
    """Units with the ids by which a process knows them that was told nothing since."""
    known = ids_at(unit, (each.hosted.key for each in told), after) if after else {}
    return [
        replace(each, assignment=replace(each.assignment, former_id=former))
        if (former := known.get(each.hosted.key, each.hosted.id)) != each.hosted.id
        else each
        for each in told
    ]


def held_elsewhere(
    unit: UnitOfWork,
    session: Session,
    units: Collection[ControlUnit],
    known: Mapping[int, Standing],
) -> dict[int, str]:
    """Units that another unit server has not let go of: they drive their devices there. Of most
    nothing is read: they are of a session, this one or one before it."""
    homeless = (each for each in units if not at_home(known.get(each.meta.key)))
    asked = {each.meta.key: "" if each.meta.key in known else each.id for each in homeless}
    return held_among(unit, session, asked) if asked else {}


def held_among(unit: UnitOfWork, session: Session, asked: Mapping[int, str]) -> dict[int, str]:
    """Those that another unit server has not let go of, by key.

    Args:
        asked: the id of each that was never loaded, for which one that was deleted may still drive
            the same device; others have "".
    """
    held = leaving_keys(unit, asked, save_of=session.id)
    by_id = leaving_ids(unit, {id for id in asked.values() if id}, save_of=session.id)
    return {key: id for key, id in asked.items() if key in held or id in by_id}


def at_home(standing: Standing | None) -> bool:
    return standing is not None and bool(standing.session)


def gone(unit: UnitOfWork, session: Session, present: Iterable[int]) -> IdsByKey:
    """All ids of the units that have left a session, by their keys, save those that are back: a
    process knows a unit by the id that it was told last, whatever became of it since."""
    return ids_ever(unit, set(removed_keys(unit, session.id)) - set(present))


def is_stamped(control_unit: ControlUnit, session: Session, known: Mapping[int, Standing]) -> bool:
    standing = known.get(control_unit.meta.key)
    return standing is not None and standing.session == session.id


def dataset_of(session: Session, basis: Basis, standing: Standing) -> str:
    """Hash of the dataset that counts: what the unit itself has reported in this session, else
    what its class publishes in this process, else what was known before."""
    reported = standing.session == session.id and standing.sequence > 0 and standing.dataset
    return reported or session.datasets.get(basis.implementation, "") or standing.dataset


def told_of(
    session: Session,
    control_unit: ControlUnit,
    basis: Basis,
    *,
    digest: str,
    standing: Standing,
) -> Told:
    problem = None
    if basis.implementation not in session.classes:
        problem = class_not_hosted(control_unit, basis.implementation, session.classes)
    elif basis.contradiction is not None:
        template = basis.narrowing.template
        problem = contradicting(control_unit.id, template, digest, basis.contradiction)
    configuration = None if problem else basis.narrowing.configuration(control_unit)
    fingerprint = configuration.fingerprint if configuration else ""
    generation = control_unit.meta.generation
    hosted = HostedUnit(
        id=control_unit.id,
        key=control_unit.meta.key,
        version=basis.version,
        generation=generation,
        told=fingerprint,
        applied=standing.fingerprint if standing.session == session.id else "",
        dataset=basis.dataset or standing.dataset,
        is_settled=standing.reached_generation == generation,
        has_conditions=bool(standing.has_conditions),
        is_failing=standing.session == session.id and standing.is_failing,
    )
    assignment = Assignment(
        control_unit,
        configuration,
        fingerprint,
        problem,
        implementation=basis.narrowing.template.implementation,
    )
    return Told(hosted, assignment)


def left_alone(told: Told, coverage: Coverage) -> Told:
    """What a unit is told, and whether it is in maintenance."""
    declared = told.assignment.unit
    if coverage.find(declared.id, declared.unit_server) is None:
        return told
    return Told(
        replace(told.hosted, in_maintenance=True), replace(told.assignment, in_maintenance=True)
    )


def newcomer(told: Told, held: HeldByType) -> Newcomer:
    """A unit that is taken in; why it cannot be built is seen in its status, too. What held of
    it goes on holding, save what ended with the life before."""
    problem = told.assignment.problem
    message = problem.message if problem else ""
    kept = tuple(filter(outlives_session, conditions_in(held)))
    return Newcomer(told.hosted.key, told.hosted.dataset, message, kept)


def without_held(told: Sequence[Told], held: Mapping[str, str]) -> tuple[Assignment, ...]:
    """Assignments without the configurations that a process holds already, by fingerprint."""
    return tuple(
        replace(each.assignment, configuration=None)
        if each.assignment.fingerprint and held.get(each.hosted.id) == each.assignment.fingerprint
        else each.assignment
        for each in told
    )


def differs(hosted: HostedUnit) -> bool:
    """Whether a unit that has reached what people want uses something else all the same."""
    return bool(
        hosted.is_settled and hosted.applied and hosted.told and hosted.applied != hosted.told
    )
