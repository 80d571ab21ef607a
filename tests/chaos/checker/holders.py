"""At most one process at a time holds a unit server, and what counts is its fence."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos.checker.contents import sessions_of
from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState
from tests.chaos.history import HISTORY_IS_GONE, Beat, Granted, History, Lost, Reported

NAME = "at most one process holds a unit server"
CLOCK_ERROR_S = 0.5
"""How far apart the moments may be at which two processes count: word travels, too."""


@dataclass(frozen=True, slots=True)
class Belief:
    """From when until when a process counted itself the holder."""

    granted: Granted
    begin: float
    end: float


def check(
    history: History, final: FinalState, *, clock_error_s: float = CLOCK_ERROR_S
) -> Iterator[Violation]:
    grants = defaultdict[str, dict[str, Granted]](dict)
    for granted in sorted(history.of(Granted), key=lambda each: each.ended):
        grants[granted.unit_server].setdefault(granted.session, granted)
    for unit_server, by_session in grants.items():
        holders = sorted(by_session.values(), key=lambda each: each.ended)
        yield from _check_fences(holders)
        yield from _check_reports(history, unit_server, by_session)
        yield from _check_beliefs(history, unit_server, holders, clock_error_s)
    for lost in history.of(Lost):
        if lost.reason in HISTORY_IS_GONE:
            yield Violation(NAME, f"{lost.client} was told {lost.reason}", (lost,))
    sessions = {each.session: each for found in grants.values() for each in found.values()}
    yield from _check_statuses(final, sessions)


def _check_fences(holders: Sequence[Granted]) -> Iterator[Violation]:
    """They rise with the grants."""
    highest: Granted | None = None
    for granted in sorted(holders, key=lambda each: each.ended):
        if highest is not None and granted.fence <= highest.fence and _follows(granted, highest):
            what = f"fence {granted.fence} of {granted.unit_server} came after {highest.fence}"
            yield Violation(NAME, what, (highest, granted))
        if highest is None or granted.fence > highest.fence:
            highest = granted
    for earlier, later in pairwise(sorted(holders, key=lambda each: each.fence)):
        if earlier.fence == later.fence and not _follows(later, earlier):
            what = f"two sessions of {earlier.unit_server} have fence {earlier.fence}"
            yield Violation(NAME, what, (earlier, later))


def _follows(later: Granted, earlier: Granted) -> bool:
    """Whether one was asked for when the other was known."""
    return later.began > earlier.ended


def _check_reports(
    history: History, unit_server: str, grants: Mapping[str, Granted]
) -> Iterator[Violation]:
    """Nothing is taken from a holder once another one is known."""
    ordered = sorted(grants.values(), key=lambda each: each.ended)
    for report in history.of(Reported):
        granted = grants.get(report.session)
        if report.unit_server != unit_server or granted is None:
            continue
        newer = next((each for each in ordered if each.fence > granted.fence), None)
        if newer is not None and report.began > newer.ended:
            what = f"a report of {report.client} was taken after {newer.client} held {unit_server}"
            yield Violation(NAME, what, (granted, newer, report))


def _check_beliefs(
    history: History, unit_server: str, holders: Sequence[Granted], clock_error_s: float
) -> Iterator[Violation]:
    """Who did not take over found the place free: the one before had lost it, also by its own
    clock. Whoever is taken over may not know it for as long as its lease runs."""
    believed = _last_moments(history)
    beliefs = [_belief(each, *believed) for each in holders if each.unit_server == unit_server]
    beliefs.sort(key=lambda each: each.granted.fence)
    first = 0  # of those that nobody has taken over since
    for number, belief in enumerate(beliefs):
        if belief.granted.took_over:
            first = number
            continue
        for earlier in beliefs[first:number]:
            overlap = earlier.end - belief.begin
            if overlap > clock_error_s:
                what = (
                    f"{earlier.granted.client} and {belief.granted.client} held {unit_server} at "
                    f"once for {overlap:.2f} s"
                )
                yield Violation(NAME, what, (earlier, belief))


def _last_moments(history: History) -> tuple[dict[str, float], dict[str, float]]:
    """By session: until when the last beat let it believe, and when it first knew better."""
    beats, losses = dict[str, float](), dict[str, float]()
    for beat in history.of(Beat):
        until = beat.at + beat.lease_s
        beats[beat.session] = max(until, beats.get(beat.session, until))
    for lost in history.of(Lost):
        losses[lost.session] = min(lost.at, losses.get(lost.session, lost.at))
    return beats, losses


def _belief(granted: Granted, beats: Mapping[str, float], losses: Mapping[str, float]) -> Belief:
    # It holds from the answer on, for a lease that may have begun as soon as it was asked for.
    end = max(granted.began + granted.lease_s, beats.get(granted.session, 0.0))
    return Belief(granted, granted.ended, min(end, losses.get(granted.session, end)))


def _check_statuses(final: FinalState, sessions: Mapping[str, Granted]) -> Iterator[Violation]:
    """In the order of revisions, too, no session writes after a later one has begun to."""
    for unit, reports in sessions_of(final).items():
        highest: Granted | None = None
        for revision, session in reports:
            granted = sessions.get(session)
            if granted is None:
                continue
            if highest is not None and granted.fence < highest.fence:
                what = (
                    f"revision {revision} of {unit} was written under fence {granted.fence} after "
                    f"one under fence {highest.fence}"
                )
                yield Violation(NAME, what, (granted, highest))
            elif highest is None or granted.fence > highest.fence:
                highest = granted
