"""Judges, within transactions, whether units come to where people want them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.condition import NOT_CONVERGING
from metadata_server.domain.life.convergence import (
    ON_THE_WAY,
    Course,
    Finding,
    Reason,
    condition_of,
    judge,
)
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.life.conditions import Held, HeldByType
from metadata_server.store.life.deaths import deaths_of
from metadata_server.store.life.recoveries import recovery_of
from metadata_server.store.life.standings import Standing, messages_of
from metadata_server.store.orchestration.maintenances import coverage_now
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Traveller:
    """A unit that is judged.

    Attributes:
        session: that hosts it now; None: it does not run.
        held: what was found to hold of it before.
        problem: why its unit server cannot build it; empty: it can.
    """

    declared: ControlUnit
    standing: Standing
    session: Session | None
    held: HeldByType
    problem: str

    @property
    def before(self) -> Held | None:
        return self.held.get(NOT_CONVERGING)

    @property
    def may_be_stuck(self) -> bool:
        """Whether there is anything to ask about it: of a unit that is where it should be, only
        whether its unit server goes on dying."""
        if self.declared.desired_state is State.UNSPECIFIED:
            return False
        is_there = self.session is not None and self.standing.state == self.declared.desired_state
        return not is_there or self.before is not None


def convergences(
    unit: UnitOfWork, travellers: Mapping[int, Traveller], *, grace_us: int
) -> dict[int, tuple[Held | None, int]]:
    """By key, that a unit does not converge, and after how many microseconds it is to be looked
    at again; units that are not there converge.

    Args:
        grace_us: how long an error may last that its unit server is about to deal with.
    """
    courses = courses_of(unit, {key: t for key, t in travellers.items() if t.may_be_stuck})
    findings = {key: judge(each, unit.now_us, grace_us) for key, each in courses.items()}
    left_alone = maintained(unit, (travellers[k].declared for k, f in findings.items() if f.reason))
    found: dict[int, tuple[Held | None, int]] = {}
    to_tell: dict[int, str] = {}
    for key, finding in findings.items():
        if finding.reason is None or key in left_alone:
            found[key] = (None, 0 if key in left_alone else finding.wait_us)
            continue
        evidence = evidence_of(travellers[key], courses[key], finding)
        before = travellers[key].before
        is_same = before is not None and before.evidence == evidence
        if is_same or is_moving(courses[key], finding):
            found[key] = (before, finding.wait_us)
        else:
            to_tell[key] = evidence
    said = messages_of(unit, to_tell)
    for key, evidence in to_tell.items():
        condition = condition_of(courses[key], findings[key], said.get(key, ""))
        before = travellers[key].before
        if before is not None:
            condition = replace(condition, since_us=before.condition.since_us)
        found[key] = (Held(condition, evidence), findings[key].wait_us)
    return found


def courses_of(unit: UnitOfWork, travellers: Mapping[int, Traveller]) -> dict[int, Course]:
    servers = unit.keys.find(
        Kind.UNIT_SERVER, {each.declared.unit_server for each in travellers.values()} - {""}
    )
    deaths = deaths_of(unit, servers.values())
    return {
        key: Course(
            desired=each.declared.desired_state,
            state=State(each.standing.state),
            state_time_us=each.standing.state_time_us,
            news_us=each.declared.meta.update_time_us,
            session_us=each.session.start_time_us if each.session else None,
            recovery=recovery_of(each.standing.recovery),
            problem=each.problem,
            deaths=deaths.get(servers.get(each.declared.unit_server, 0)),
            before=Reason(each.before.condition.reason) if each.before else None,
        )
        for key, each in travellers.items()
    }


def maintained(unit: UnitOfWork, declared: Iterable[ControlUnit]) -> set[int]:
    """Keys of the units that are in maintenance: nobody expects anything of them."""
    units = list(declared)
    if not units:
        return set()
    coverage = coverage_now(unit)
    return {each.meta.key for each in units if coverage.find(each.id, each.unit_server)}


def is_moving(course: Course, finding: Finding) -> bool:
    """Whether a unit is on its way again, and what was found before has yet to prove wrong."""
    return course.before is finding.reason in ON_THE_WAY and finding.wait_us > 0


def evidence_of(traveller: Traveller, course: Course, finding: Finding) -> str:
    """What a finding rests on: while that is the same, its words stand."""
    reason, deaths = finding.reason, course.deaths
    if reason is Reason.KEEPS_DYING and deaths is not None:
        return f"{reason} {course.desired} {deaths.count} {deaths.last_us}"
    standing, generation = traveller.standing, traveller.declared.meta.generation
    return f"{reason} {generation} {standing.session} {standing.sequence}"
