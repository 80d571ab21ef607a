"""What control units report, and what a report makes of their status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from metadata_server.domain.intent.control_unit import ControlUnitStatus, PassedState
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.recovery import MAXIMUM_HOOK, NO_RECOVERY, Recovery
from metadata_server.domain.life.registration import LARGEST_NUMBER, SHA256
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import WrongField

MAXIMUM_MESSAGE = 1_000
MAXIMUM_PASSED = 50
"""States on the way that are kept of one report: the last ones."""
SAME_MOMENT_US = 2_000_000
"""Ages of one moment differ by what the network and its queues take."""
FINGERPRINT = re.compile(r"v[0-9]{1,3}:[0-9a-f]{64}\Z")


class Passed(NamedTuple):
    """A state on the way; `since_us` as in `Report`."""

    state: State
    since_us: int
    message: str = ""


class Report(NamedTuple):
    """What one control unit has become. A boot storm makes tens of thousands: a named tuple is
    made in a quarter of a dataclass's time.

    Attributes:
        control_unit: id.
        sequence: grows within its unit server with each report.
        since_us: when it became so, by the server's steady clock: when the report came, less the
            age that it told.
        passed: states since the report before, oldest first.
    """

    control_unit: str
    sequence: int
    state: State
    since_us: int
    message: str = ""
    passed: tuple[Passed, ...] = ()
    reached_generation: int = 0
    reached_recover_count: int = 0
    fingerprint: str = ""
    dataset: str = ""
    unfenced: bool = False
    recovery: Recovery = NO_RECOVERY

    @property
    def is_failing(self) -> bool:
        """Whether the unit is in an error, or its unit server has trouble with it."""
        return self.state.is_error or self.recovery != NO_RECOVERY

    def faults(self) -> Iterator[WrongField]:
        """All that cannot be kept."""
        if self.state is State.UNSPECIFIED:
            yield WrongField("state", "", "the state that the unit is in")
        for name, least in (
            ("sequence", 1),
            ("reached_generation", 0),
            ("reached_recover_count", 0),
            ("attempts", 0),
        ):
            number = self.recovery.attempts if name == "attempts" else getattr(self, name)
            if not least <= number <= LARGEST_NUMBER:
                yield WrongField(name, str(number), f"a number from {least} on")
        if self.fingerprint and not FINGERPRINT.match(self.fingerprint):
            expected = "'v1:' and a SHA-256 as 64 hexadecimal digits in lower case, or empty"
            yield WrongField("fingerprint", self.fingerprint, expected)
        if self.dataset and not SHA256.match(self.dataset):
            expected = "a SHA-256 as 64 hexadecimal digits in lower case, or empty"
            yield WrongField("dataset_hash", self.dataset, expected)
        hook = self.recovery.hanging_hook
        if hook and not (hook.isidentifier() and len(hook) <= MAXIMUM_HOOK):
            expected = f"the name of a function, at most {MAXIMUM_HOOK} characters, or empty"
            yield WrongField("hanging_hook", hook, expected)

    def after(self, older: Report) -> Report:
        """This report with what an older one of the same unit, not yet written, told."""
        way = older.passed
        if older.state is not self.state or self.passed:
            way = (*way, Passed(older.state, older.since_us, older.message), *self.passed)
        return self._replace(passed=way[-MAXIMUM_PASSED:]) if way else self


class Before(NamedTuple):
    """What a report builds on: whose status it is, and since when it is as it is.

    Attributes:
        conditions: that hold of the unit; a report alone changes none.
    """

    id: str
    key: int
    unit_server: str
    session: str
    state: State
    state_time_us: int
    conditions: tuple[Condition, ...] = ()


def reported(
    before: Before, report: Report, *, now_us: int, steady_us: int, dataset: str
) -> ControlUnitStatus:
    """A unit's status after a report.

    Args:
        now_us: by the database's clock, the only one that counts.
        steady_us: the same moment by the server's steady clock.
        dataset: hash that counts as its dataset from now on.
    """

    def at(since_us: int) -> int:
        return max(0, now_us - max(0, steady_us - since_us))

    since_us = at(report.since_us)
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
            PassedState(each.state, at(each.since_us), cut(each.message)) for each in report.passed
        ),
        reached_generation=report.reached_generation,
        reached_recover_count=report.reached_recover_count,
        fingerprint=report.fingerprint,
        dataset=dataset,
        unfenced=report.unfenced,
        recovery=by_database(report.recovery, now_us - steady_us),
        conditions=before.conditions,
    )


def by_database(recovery: Recovery, offset_us: int) -> Recovery:
    """A recovery with its time by the database's clock, which is so much ahead."""
    if not recovery.next_attempt_us:
        return recovery
    return recovery._replace(next_attempt_us=recovery.next_attempt_us + offset_us)


def cut(message: str) -> str:
    """A message as it is kept: at most `MAXIMUM_MESSAGE` characters."""
    return message if len(message) <= MAXIMUM_MESSAGE else f"{message[: MAXIMUM_MESSAGE - 1]}…"
