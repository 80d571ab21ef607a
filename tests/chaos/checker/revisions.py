"""Revisions are one sequence without gaps, and each is one change."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState
from tests.chaos.history import Bundle, History, Outcome, Write

NAME = "revisions are gapless and unique"


def check(history: History, final: FinalState) -> Iterator[Violation]:
    told = {event.revision for event in final.told}
    missing = [each for each in range(final.begin + 1, final.end + 1) if each not in told]
    if missing:
        some = ", ".join(map(str, missing[:10]))
        yield Violation(NAME, f"{len(missing)} revisions have no change: {some}")
    for place, count in Counter(event.place for event in final.told).items():
        if count > 1:
            yield Violation(NAME, f"{place} is told {count} times")
    yield from _check_change_sets(final, told)
    yield from _check_answers(history)
    yield from _check_two_readings(final)


def _check_change_sets(final: FinalState, told: set[int]) -> Iterator[Violation]:
    seen: set[int] = set()
    for each in final.change_sets:
        if each.revision in seen:
            yield Violation(NAME, f"two change sets have revision {each.revision}", (each,))
        seen.add(each.revision)
        if each.revision not in told:
            yield Violation(NAME, f"no event tells change set {each.revision}", (each,))
    asked = Counter(each.request_id for each in final.change_sets if each.request_id)
    for request_id, count in asked.items():
        if count > 1:
            sets = tuple(each for each in final.change_sets if each.request_id == request_id)
            yield Violation(NAME, f"one call was done {count} times", sets)


def _check_answers(history: History) -> Iterator[Violation]:
    """No two calls were answered the same revision."""
    answered = defaultdict[int, list[Write | Bundle]](list)
    calls: list[Write | Bundle] = [*history.of(Write), *history.of(Bundle)]
    for call in calls:
        if call.outcome is Outcome.OK and call.revision:
            answered[call.revision].append(call)
    for revision, sharing in answered.items():
        if len(sharing) > 1:
            what = f"revision {revision} was answered to {len(sharing)} calls"
            yield Violation(NAME, what, tuple(sharing[:4]))


def _check_two_readings(final: FinalState) -> Iterator[Violation]:
    """A watch and the history of people's changes tell the same of the probes' resources."""
    names = {each.name for each in final.versions}
    watched = {(each.revision, each.name, each.action) for each in final.told if each.name in names}
    listed = {(each.revision, each.name, each.action) for each in final.versions}
    for place in sorted(watched - listed):
        yield Violation(NAME, f"a watch tells {place}, and the history of changes does not")
    for place in sorted(listed - watched):
        yield Violation(NAME, f"the history of changes tells {place}, and a watch does not")
