"""When it is said that a unit does not converge, why, and when that is to be looked at again."""

from dataclasses import replace

import pytest

from metadata_server.domain.life.convergence import (
    CONVERGES,
    DEATHS_WINDOW_US,
    STALL_US,
    Course,
    Deaths,
    Finding,
    Reason,
    condition_of,
    judge,
)
from metadata_server.domain.life.recovery import Recovery
from metadata_server.domain.life.state import State

NOW_US = 1_700_000_000_000_000
GRACE_US = 10_000_000
SECOND_US = 1_000_000
NEXT = Recovery(next_attempt_us=NOW_US + 4 * SECOND_US)
ON_ITS_WAY = Course(
    desired=State.RUNNING,
    state=State.INITIALIZED,
    state_time_us=NOW_US - SECOND_US,
    news_us=NOW_US - 3 * SECOND_US,
    session_us=NOW_US - 2 * SECOND_US,
)
IN_ERROR = replace(ON_ITS_WAY, state=State.RECOVERABLE_ERROR)
DYING = Deaths(3, NOW_US - 100 * SECOND_US, NOW_US - SECOND_US)


def found(course: Course) -> Finding:
    return judge(course, NOW_US, GRACE_US)


@pytest.mark.parametrize(
    "course",
    [
        replace(ON_ITS_WAY, state=State.RUNNING),
        replace(IN_ERROR, desired=State.UNSPECIFIED),
        replace(IN_ERROR, session_us=None),
        replace(ON_ITS_WAY, state=State.RUNNING, deaths=DYING),
        replace(IN_ERROR, desired=State.UNLOADED, session_us=None, deaths=DYING),
    ],
    ids=["is there", "left alone", "is not hosted", "is there, after deaths", "need not live"],
)
def test_nothing_is_said_of_a_unit_that_is_not_expected_elsewhere(course: Course) -> None:
    assert found(course) == CONVERGES


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        (replace(IN_ERROR, state=State.FATAL_ERROR), Reason.HOOK_FAILED),
        (IN_ERROR, Reason.HOOK_FAILED),
        (replace(IN_ERROR, recovery=NEXT._replace(attempts=1)), Reason.HOOK_FAILED),
        (replace(IN_ERROR, recovery=NEXT, before=Reason.HOOK_HANGS), Reason.HOOK_FAILED),
        (replace(IN_ERROR, recovery=Recovery(attempts=5)), Reason.GIVEN_UP),
        (replace(ON_ITS_WAY, recovery=Recovery(hanging_hook="on_start")), Reason.HOOK_HANGS),
        (replace(IN_ERROR, problem="This process does not build it."), Reason.NOT_HOSTED),
    ],
)
def test_the_reason_is_what_its_unit_server_says(course: Course, reason: Reason) -> None:
    assert found(course).reason is reason


def test_a_first_error_that_is_about_to_be_tried_again_is_given_a_moment() -> None:
    first = replace(IN_ERROR, recovery=NEXT)
    assert found(first) == Finding(wait_us=GRACE_US - SECOND_US)
    assert found(replace(first, state_time_us=NOW_US - GRACE_US)).reason is Reason.HOOK_FAILED


def test_a_unit_that_stands_still_without_a_word_is_said_to_after_a_while() -> None:
    assert found(ON_ITS_WAY) == Finding(None, NOW_US - SECOND_US, STALL_US - SECOND_US)
    long_ago = NOW_US - STALL_US
    still = replace(ON_ITS_WAY, state_time_us=long_ago, news_us=long_ago, session_us=long_ago)
    assert found(still) == Finding(Reason.NO_WORD, long_ago)


@pytest.mark.parametrize(
    ("before", "kept"),
    [(Reason.HOOK_FAILED, Reason.HOOK_FAILED), (Reason.HOOK_HANGS, None), (None, None)],
)
def test_a_unit_that_is_tried_again_has_not_converged_yet(
    before: Reason | None, kept: Reason | None
) -> None:
    assert found(replace(ON_ITS_WAY, before=before)).reason is kept


def test_a_unit_server_that_dies_three_times_is_the_reason_until_it_has_lived_for_a_while() -> None:
    dead = replace(ON_ITS_WAY, session_us=None, deaths=DYING)
    wait_us = DEATHS_WINDOW_US - 100 * SECOND_US
    assert found(dead) == Finding(Reason.KEEPS_DYING, DYING.oldest_us, wait_us)
    assert found(replace(dead, deaths=replace(DYING, count=2))) == CONVERGES
    between = replace(ON_ITS_WAY, state=State.RUNNING, deaths=DYING, before=Reason.KEEPS_DYING)
    assert found(between).reason is Reason.KEEPS_DYING
    assert found(replace(between, deaths=replace(DYING, count=2))) == CONVERGES


@pytest.mark.parametrize(
    ("course", "said", "message"),
    [
        (
            replace(IN_ERROR, recovery=NEXT._replace(attempts=1)),
            "no water",
            "RUNNING is wanted. no water. Its unit server tries again at 2023-11-14T22:13:24Z.",
        ),
        (
            replace(IN_ERROR, recovery=Recovery(attempts=5)),
            "no water!",
            (
                "RUNNING is wanted. no water! Its unit server has tried 5 times; now it waits for a "
                "recover."
            ),
        ),
        (
            replace(IN_ERROR, state=State.FATAL_ERROR),
            "",
            "RUNNING is wanted. It gives no reason.",
        ),
        (
            replace(ON_ITS_WAY, session_us=None, deaths=DYING),
            "",
            (
                "RUNNING is wanted. Its unit server died 3 times within 10 min, last at "
                "2023-11-14T22:13:19Z."
            ),
        ),
    ],
)
def test_the_message_tells_the_units_own_words_and_what_comes_next(
    course: Course, said: str, message: str
) -> None:
    assert condition_of(course, found(course), said).message == message
