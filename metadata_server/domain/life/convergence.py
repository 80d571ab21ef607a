"""Whether a unit comes to where people want it; and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from metadata_server.domain.life.condition import NOT_CONVERGING, Condition
from metadata_server.domain.life.recovery import NO_RECOVERY, Recovery
from metadata_server.domain.life.state import State

DEATHS_WINDOW_US = 600_000_000
MOST_DEATHS = 2
"""Runs of a unit server that may begin and end without a good-bye within that window."""
STALL_US = 60_000_000
"""How long a unit may stand still on its way without a word why."""


class Reason(StrEnum):
    """Why a unit does not come to where people want it.

    HOOK_FAILED: it is in an error. GIVEN_UP: likewise, and its unit server has tried as often
    as it may. HOOK_HANGS: a hook does not return. NOT_HOSTED: its unit server does not build its
    class. KEEPS_DYING: its unit server does not live for long. NO_WORD: nobody says.
    """

    HOOK_FAILED = "HookFailed"
    GIVEN_UP = "GivenUp"
    HOOK_HANGS = "HookHangs"
    NOT_HOSTED = "NotHosted"
    KEEPS_DYING = "KeepsDying"
    NO_WORD = "NoWord"


@dataclass(frozen=True, slots=True)
class Deaths:
    """Runs of a unit server that began and ended without a good-bye within the window.

    Attributes:
        oldest_us: when the run began that makes them many, counted from the last; of fewer,
            the first of them.
        last_us: when the last one ended.
    """

    count: int
    oldest_us: int
    last_us: int

    @property
    def are_many(self) -> bool:
        return self.count > MOST_DEATHS


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A unit on its way.

    Attributes:
        session_us: when the session began that hosts it; None: none does.
        news_us: when it was last declared otherwise.
        problem: why its unit server cannot build it; empty: it can.
        deaths: of its unit server.
        before: why it did not converge when it was last looked at; None: it did.
    """

    desired: State
    state: State
    state_time_us: int
    news_us: int
    session_us: int | None
    recovery: Recovery = NO_RECOVERY
    problem: str = ""
    deaths: Deaths | None = None
    before: Reason | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What can be said of a course.

    Attributes:
        reason: None: it converges, or it is too early to say.
        since_us: when that began.
        wait_us: after so long there may be something else to say; 0: not by itself.
    """

    reason: Reason | None = None
    since_us: int = 0
    wait_us: int = 0


CONVERGES = Finding()


def judge(course: Course, now_us: int, grace_us: int) -> Finding:
    """What is to be said of a unit now.

    Args:
        grace_us: how long an error may last that its unit server is about to deal with.
    """
    if course.desired is State.UNSPECIFIED:
        return CONVERGES
    dying = dies(course, now_us)
    if dying is not None:
        return dying
    if course.session_us is None or course.state is course.desired:
        return CONVERGES
    if course.problem:
        return Finding(Reason.NOT_HOSTED, course.session_us)
    if course.recovery.hanging_hook:
        return Finding(Reason.HOOK_HANGS, course.state_time_us)
    if course.state.is_error:
        return fails(course, now_us, grace_us)
    return stalls(course, now_us)


def dies(course: Course, now_us: int) -> Finding | None:
    """Its unit server lives only for moments. Between two deaths it may well come to where
    people want it: once it was found to die it has to live for a while to be believed."""
    deaths = course.deaths
    if deaths is None or not deaths.are_many or course.desired is State.UNLOADED:
        return None
    is_there = course.session_us is not None and course.state is course.desired
    if is_there and course.before is not Reason.KEEPS_DYING:
        return None
    return Finding(
        Reason.KEEPS_DYING, deaths.oldest_us, deaths.oldest_us + DEATHS_WINDOW_US - now_us
    )


def fails(course: Course, now_us: int, grace_us: int) -> Finding:
    recovery = course.recovery
    if recovery.attempts and not recovery.next_attempt_us:
        return Finding(Reason.GIVEN_UP, course.state_time_us)
    is_first = recovery.next_attempt_us and not recovery.attempts
    wait_us = course.state_time_us + grace_us - now_us
    if is_first and wait_us > 0 and course.before is None:
        return Finding(wait_us=wait_us)
    return Finding(Reason.HOOK_FAILED, course.state_time_us)


def stalls(course: Course, now_us: int) -> Finding:
    """On its way, between two states: what was found before holds until it is there."""
    since_us = max(course.state_time_us, course.news_us, course.session_us or 0)
    wait_us = since_us + STALL_US - now_us
    if wait_us <= 0:
        return Finding(Reason.NO_WORD, since_us)
    kept = course.before if course.before in ON_THE_WAY else None
    return Finding(kept, since_us, wait_us)


ON_THE_WAY = frozenset({Reason.HOOK_FAILED, Reason.GIVEN_UP, Reason.NO_WORD})


def condition_of(course: Course, finding: Finding, said: str) -> Condition:
    """The condition that a finding with a reason makes.

    Args:
        said: the unit's last words.
    """
    assert finding.reason is not None
    return Condition(
        type=NOT_CONVERGING,
        reason=finding.reason.value,
        message=f"{course.desired} is wanted. {sentence(course, finding, said)}",
        since_us=finding.since_us,
    )


def sentence(course: Course, finding: Finding, said: str) -> str:
    recovery = course.recovery
    words = said if said.endswith(ENDS) else f"{said or 'It gives no reason'}."
    match finding.reason:
        case Reason.NOT_HOSTED:
            return course.problem
        case Reason.KEEPS_DYING if course.deaths is not None:
            ended = f"{course.deaths.count} times within 10 min, last at"
            return f"Its unit server died {ended} {moment(course.deaths.last_us)}."
        case Reason.GIVEN_UP:
            tried = "once" if recovery.attempts == 1 else f"{recovery.attempts} times"
            return f"{words} Its unit server has tried {tried}; now it waits for a recover."
        case Reason.HOOK_FAILED if recovery.next_attempt_us:
            return f"{words} Its unit server tries again at {moment(recovery.next_attempt_us)}."
        case Reason.NO_WORD:
            return f"It is {course.state} and does not say why."
    return words


ENDS = (".", "!", "?", "…")


def moment(time_us: int) -> str:
    """A time as people read it: UTC, to the second."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
