"""Who is refused a read or a write is told what was so, at some moment between call and answer; and
nobody is refused what nothing can be wrong with."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf
from typing import NamedTuple

from tests.chaos.checker.acknowledged import without_values
from tests.chaos.checker.contents import Content, contents_of
from tests.chaos.checker.linearizable import ANY
from tests.chaos.checker.operations import without_plan
from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState, Version
from tests.chaos.history import Bundle, History, Ordered, Outcome, Read, Write

NAME = "refusals say what is so"
MISSING = "_NOT_FOUND"
EXISTS = "ALREADY_EXISTS"
MISMATCH = "ETAG_MISMATCH"


class Time(NamedTuple):
    """What a resource was from one of its changes to the next.

    Attributes:
        version: that began it; None: it is what was before all of them.
        is_there: None: nobody knows.
        etag: empty: not known.
        earliest: it has not begun before this moment.
        latest: it has begun by this moment.
    """

    version: Version | None
    is_there: bool | None
    etag: str
    earliest: float
    latest: float


def check(history: History, final: FinalState) -> Iterator[Violation]:
    every: list[Read | Write] = [*history.of(Read), *history.of(Write)]
    calls = defaultdict[str, list[Read | Write]](list)
    for each in every:
        calls[each.resource].append(each)
    versions = defaultdict[str, list[Version]](list)
    for version in final.versions:
        versions[version.name].append(version)
    contents = contents_of(final)
    for name, asked in sorted(calls.items()):
        times = times_of(versions[name], asked, contents[name])
        # A time that ends before the call, or begins after its answer, explains nothing.
        ends = [each.latest for each in times[1:]]
        begins = [each.earliest for each in times]
        for call in asked:
            if call.outcome is Outcome.REFUSED:
                first, last = bisect_right(ends, call.began), bisect_right(begins, call.ended)
                yield from _check_refusal(call, times[first:last])
    yield from _check_large(history)


def _check_large(history: History) -> Iterator[Violation]:
    """Bundles and orders are about units that nobody else has a hand in, and name no etag."""
    large: list[Bundle | Ordered] = [*history.of(Bundle), *history.of(Ordered)]
    for each in large:
        if each.outcome is Outcome.REFUSED:
            shown = without_values(each) if isinstance(each, Bundle) else without_plan(each)
            what = f"a call of {each.client} was refused ({each.reason}), "
            yield Violation(NAME, f"{what}and nothing was wrong with it", (shown,))


def times_of(
    versions: Sequence[Version], calls: Sequence[Read | Write], known: dict[int, Content]
) -> list[Time]:
    """All that a resource has been, one after the other: each began when whoever asked for it had
    asked, and before anybody knew it, or what came later."""
    asked = {each.request_id: each.began for each in calls if isinstance(each, Write)}
    revisions, by_then = _knowledge(calls, known)
    is_new = bool(versions) and versions[0].action == "CREATED"
    times = [Time(None, False if is_new else None, "", -inf, -inf)]
    for version in versions:
        content = known.get(version.revision)
        times.append(
            Time(
                version,
                version.action != "DELETED",
                content.etag if content else "",
                max(times[-1].earliest, asked.get(version.request_id, -inf)),
                by_then[bisect_left(revisions, version.revision)],
            )
        )
    return times


def _knowledge(
    calls: Sequence[Read | Write], known: dict[int, Content]
) -> tuple[list[int], list[float]]:
    """Revisions in their order, each with the moment by which somebody knew it, or a later one;
    last, that of what nobody knew."""
    of_etags = {content.etag: revision for revision, content in known.items()}
    seen = [(each.revision, each.ended) for each in calls if each.outcome is Outcome.OK]
    seen += [  # who sends an etag has read it
        (of_etags[each.etag_asked], each.began)
        for each in calls
        if isinstance(each, Write) and each.etag_asked in of_etags
    ]
    seen.sort()
    by_then = list(accumulate((moment for _, moment in reversed(seen)), min, initial=inf))
    return [revision for revision, _ in seen], by_then[::-1]


def _check_refusal(call: Read | Write, times: Sequence[Time]) -> Iterator[Violation]:
    """
    Args:
        times: that the call may have met.
    """
    if any(_explains(each, call) for each in times):
        return
    what = f"{call.resource}: a {type(call).__name__.lower()} was refused ({call.reason}), "
    met = times[-1].version if times else None
    if not is_about_resource(call):
        yield Violation(NAME, f"{what}and nothing was wrong with it", (call,))
    elif met is None:
        yield Violation(NAME, f"{what}and it was not there", (call,))
    else:
        now = "gone" if met.action == "DELETED" else f"as revision {met.revision} made it"
        yield Violation(NAME, f"{what}and it was {now}", (call, met))


def is_about_resource(call: Read | Write) -> bool:
    """Whether a refusal says something of what is there, not of the call."""
    return call.reason in (EXISTS, MISMATCH) or call.reason.endswith(MISSING)


def _explains(time: Time, call: Read | Write) -> bool:
    """Whether a call that met this had to be refused so."""
    if not is_about_resource(call):
        return False
    if time.is_there is None:
        return True
    if call.reason.endswith(MISSING):
        return not time.is_there
    if call.reason == EXISTS:
        return time.is_there
    return time.is_there and isinstance(call, Write) and call.etag_asked not in {ANY, time.etag}
