"""What control units report, and what a report makes of their status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from metadata_server.domain.control_unit import ControlUnitStatus, PassedState
from metadata_server.domain.refused import WrongField
from metadata_server.domain.registration import LARGEST_NUMBER, SHA256
from metadata_server.domain.state import State

MAXIMUM_MESSAGE = 1_000
MAXIMUM_PASSED = 50
"""States on the way that are kept of one report: the last ones."""
SAME_MOMENT_US = 2_000_000
"""Ages of one moment differ by what the network and its queues take."""
FINGERPRINT = re.compile(r"v[0-9]{1,3}:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Passed:
    """A state on the way, and how long ago it was reached."""

    state: State
    age_us: int
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one control unit has become.

    Attributes:
        control_unit: id.
        sequence: grows within its unit server with each report.
        age_us: how long ago it became so, by the unit server's steady clock.
        passed: states since the report before, oldest first.
    """

    control_unit: str
    sequence: int
    state: State
    age_us: int = 0
    message: str = ""
    passed: tuple[Passed, ...] = ()
    reached_generation: int = 0
    reached_recover_count: int = 0
    fingerprint: str = ""
    dataset: str = ""
    unfenced: bool = False

    def faults(self) -> Iterator[WrongField]:
        """All that cannot be kept."""
        if self.state is State.UNSPECIFIED:
            yield WrongField("state", "", "the state that the unit is in")
        for name, least in (
            ("sequence", 1),
            ("reached_generation", 0),
            ("reached_recover_count", 0),
        ):
            number = getattr(self, name)
            if not least <= number <= LARGEST_NUMBER:
                yield WrongField(name, str(number), f"a number from {least} on")
        if self.fingerprint and not FINGERPRINT.match(self.fingerprint):
            expected = "'v1:' and a SHA-256 as 64 hexadecimal digits in lower case, or empty"
            yield WrongField("fingerprint", self.fingerprint, expected)
        if self.dataset and not SHA256.match(self.dataset):
            expected = "a SHA-256 as 64 hexadecimal digits in lower case, or empty"
            yield WrongField("dataset_hash", self.dataset, expected)

    def after(self, older: Report, older_age_us: int) -> Report:
        """This report with what an older one of the same unit, not yet written, told.

        Args:
            older_age_us: how long the older one came before this one.
        """
        way = [
            replace(each, age_us=each.age_us + older_age_us)
            for each in (*older.passed, Passed(older.state, older.age_us, older.message))
        ]
        if older.state is self.state and not self.passed:
            way.pop()
        return replace(self, passed=(*way, *self.passed)[-MAXIMUM_PASSED:])


class Before(NamedTuple):
    """What a report builds on: whose status it is, and since when it is as it is."""

    id: str
    key: int
    unit_server: str
    session: str
    state: State
    state_time_us: int


def reported(
    before: Before, report: Report, *, now_us: int, waited_us: int, dataset: str
) -> ControlUnitStatus:
    """A unit's status after a report.

    Args:
        now_us: by the database's clock, the only one that counts.
        waited_us: how long ago the report came in.
        dataset: hash that counts as its dataset from now on.
    """
    became_us = now_us - waited_us

    def at(age_us: int) -> int:
        return max(0, became_us - max(0, age_us))

    since_us = at(report.age_us)
    stayed = before.state is report.state and not report.passed
    if stayed and abs(since_us - before.state_time_us) < SAME_MOMENT_US:
        since_us = before.state_time_us
    return ControlUnitStatus(
        id=before.id,
        key=before.key,
        unit_server=before.unit_server,
        session=before.session,
        sequence=report.sequence,
        state=report.state,
        state_time_us=since_us,
        message=cut(report.message),
        passed=tuple(
            PassedState(each.state, at(each.age_us), cut(each.message)) for each in report.passed
        ),
        reached_generation=report.reached_generation,
        reached_recover_count=report.reached_recover_count,
        fingerprint=report.fingerprint,
        dataset=dataset,
        unfenced=report.unfenced,
    )


def cut(message: str) -> str:
    """A message as it is kept: at most `MAXIMUM_MESSAGE` characters."""
    return message if len(message) <= MAXIMUM_MESSAGE else f"{message[: MAXIMUM_MESSAGE - 1]}…"
