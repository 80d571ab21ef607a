"""Reports that wait to be written for good by a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from google.protobuf.duration_pb2 import Duration
from mds.v1 import registration_pb2, state_pb2

from control_units.hosted_unit import Standing
from control_units.states import State

MAXIMUM_REPORTS = 1000
"""In one message, by the contract."""

MAXIMUM_PASSED = 32
"""States on the way that one report tells; of a unit that flaps, the newest are kept."""

MAXIMUM_HOOK = 64
"""Characters of the name of a hook, by the contract."""

WINDOW = 4
"""Reports of one unit that are under way at once; what happens meanwhile goes into the next."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Report:
    """What one unit became; times are of the steady clock, ages are made when it is sent."""

    control_unit: str
    sequence: int
    standing: Standing
    passed: tuple[Standing, ...]


@dataclass(slots=True)
class _Unit:
    """What is to be told of one unit.

    Attributes:
        told: what its newest report says; None: nothing has been said in this session.
        standing: what it is.
        passed: where it was since that report.
        under_way: reports sent and not yet written for good, oldest first.
    """

    standing: Standing
    told: Standing | None = None
    passed: list[Standing] = field(default_factory=list)
    under_way: list[_Report] = field(default_factory=list)

    @property
    def has_told_state(self) -> bool:
        """Whether the newest report says that it is in its state."""
        told, now = self.told, self.standing
        return told is not None and (told.state, told.since) == (now.state, now.since)

    @property
    def is_due(self) -> bool:
        return self.standing != self.told and len(self.under_way) < WINDOW


class Outbox:
    """Coalesces what units become into reports, and keeps each until a server has written it.

    Bounded: for each unit at most `WINDOW` reports under way and one that grows.

    Args:
        dataset_hash: of the class of a unit, by its id.
        clock: steady, in s.
    """

    def __init__(
        self, dataset_hash: Callable[[str], str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dataset_hash = dataset_hash
        self._clock = clock
        self._units: dict[str, _Unit] = {}
        self._due: dict[str, None] = {}  # in the order in which they came; a set forgets it
        self._sequence = 0

    def note(self, control_unit: str, standing: Standing) -> None:
        """Takes down what a unit is now."""
        unit = self._units.get(control_unit)
        if unit is None:
            unit = self._units[control_unit] = _Unit(standing)
        elif unit.standing.state is not standing.state and not unit.has_told_state:
            unit.passed.append(unit.standing)
            del unit.passed[:-MAXIMUM_PASSED]
        unit.standing = standing
        if unit.is_due:
            self._due[control_unit] = None

    def forget(self, control_unit: str) -> None:
        """Nothing more is to be told of this unit."""
        self._units.pop(control_unit, None)
        self._due.pop(control_unit, None)

    def begin_anew(self) -> None:
        """Has every unit told anew, from what it is now: to a new session, which knows nothing,
        or to one that knows wrong."""
        for control_unit, unit in self._units.items():
            unit.told = None
            unit.under_way.clear()
            self._due[control_unit] = None

    def begin_stream(self) -> list[registration_pb2.Reports]:
        """What a new stream of the same session must hear first: all that nobody has
        acknowledged, as it was."""
        reports = [report for unit in self._units.values() for report in unit.under_way]
        reports.sort(key=lambda report: report.sequence)
        return _messages([self._to_wire(report) for report in reports])

    @property
    def has_due(self) -> bool:
        """Whether `collect` would give something."""
        return bool(self._due)

    @property
    def is_empty(self) -> bool:
        """Whether all that was noted is written for good."""
        return all(
            not unit.under_way and unit.standing == unit.told for unit in self._units.values()
        )

    @property
    def waiting(self) -> int:
        """Units of which something is not written for good."""
        units = list(self._units.values())
        return sum(bool(each.under_way) or each.standing != each.told for each in units)

    def collect(self) -> list[registration_pb2.Reports]:
        """Messages with all that is due, to be sent now; it is under way from here on. What no
        message can hold never is: it would end each stream that is begun with it."""
        reports = []
        for control_unit in self._due:
            unit = self._units[control_unit]
            self._sequence += 1
            report = _Report(control_unit, self._sequence, unit.standing, tuple(unit.passed))
            unit.told = unit.standing
            unit.passed.clear()
            try:
                reports.append(self._to_wire(report))
            except Exception:  # the other units must not go silent because of one
                log.exception("report_left_out", control_unit=control_unit)
            else:
                unit.under_way.append(report)
        self._due.clear()
        return _messages(reports)

    def acknowledge(self, sequence: int) -> None:
        """All reports up to this one are written for good."""
        for control_unit, unit in self._units.items():
            if unit.under_way and unit.under_way[0].sequence <= sequence:
                unit.under_way = [each for each in unit.under_way if each.sequence > sequence]
                if unit.is_due:
                    self._due[control_unit] = None

    def refuse(self, control_unit: str) -> None:
        """A server does not take what was sent of this unit; sending it again changes nothing."""
        unit = self._units.get(control_unit)
        if unit is not None:
            unit.under_way.clear()

    def _to_wire(self, report: _Report) -> registration_pb2.UnitReport:
        standing = report.standing
        return registration_pb2.UnitReport(
            control_unit=f"control_units/{report.control_unit}",
            sequence=report.sequence,
            state=_state(standing.state),
            age=self._age(standing.since),
            message=standing.message,
            passed=[
                registration_pb2.PassedState(
                    state=_state(each.state), age=self._age(each.since), message=each.message
                )
                for each in report.passed
            ],
            reached_generation=standing.reached_generation,
            reached_recover_count=standing.reached_recover_count,
            fingerprint=standing.fingerprint,
            dataset_hash=self._dataset_hash(report.control_unit),
            unfenced=standing.unfenced,
            attempts=standing.attempts,
            next_attempt=self._wait(standing.next_attempt),
            hanging_hook=standing.hanging_hook[:MAXIMUM_HOOK],
        )

    def _wait(self, until: float | None) -> Duration | None:
        if until is None:
            return None
        wait = Duration()
        wait.FromNanoseconds(max(0, round((until - self._clock()) * 1e9)))
        return wait

    def _age(self, since: float) -> Duration:
        age = Duration()
        age.FromNanoseconds(max(0, round((self._clock() - since) * 1e9)))
        return age


def _messages(reports: Sequence[registration_pb2.UnitReport]) -> list[registration_pb2.Reports]:
    return [
        registration_pb2.Reports(reports=reports[start : start + MAXIMUM_REPORTS])
        for start in range(0, len(reports), MAXIMUM_REPORTS)
    ]


def _state(state: State) -> state_pb2.State.ValueType:
    return state_pb2.State.ValueType(state)
