"""What a round's history says of times: how long nobody could write or read, and how soon streams
went on."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

from tests.chaos.history import LEFT, Bundle, Closed, History, Outcome, Read, Word, Write


def longest_write_outage(history: History, since: float, until: float) -> float:
    """Between two acknowledged writes, whoever made them; s."""
    writes: list[Write | Bundle] = [*history.of(Write), *history.of(Bundle)]
    return longest_gap([each.ended for each in writes if each.outcome is Outcome.OK], since, until)


def longest_wait_of_one(history: History, since: float, until: float) -> float:
    """Between two acknowledged writes of one writer, and of the one that it was longest for; s."""
    moments: dict[str, list[float]] = {}
    for write in history.of(Write):
        ended = moments.setdefault(write.client, [])
        if write.outcome is Outcome.OK:
            ended.append(write.ended)
    moments.pop("prepare", None)
    return max((longest_gap(each, since, until) for each in moments.values()), default=0.0)


def longest_read_outage(history: History, since: float, until: float) -> float:
    """Between two answered reads; s."""
    return longest_gap(
        [each.ended for each in history.of(Read) if each.outcome is Outcome.OK], since, until
    )


def done_of(steps: Mapping[str, int]) -> str:
    """How many steps came where they were to, of all; by where they have ended."""
    return f"{steps.get('COMPLETED', 0):,} of {sum(steps.values()):,}"


def longest_gap(moments: Iterable[float], since: float, until: float) -> float:
    """The longest time without any of the moments, in this part of time."""
    marks = [since, *sorted(each for each in moments if since < each < until), until]
    return max(after - before for before, after in itertools.pairwise(marks))


def resumptions(history: History, since: float) -> list[float]:
    """How long each watcher was without word whose stream has ended after `since`; s.

    Counted from its last word, as silence is the first that it is told of a fault; but not from
    before `since`, and not where the watcher left by itself.
    """
    words: dict[str, list[float]] = {}
    for word in history.of(Word):
        words.setdefault(word.client, []).append(word.at)
    found: list[float] = []
    for closed in history.of(Closed):
        heard = words.get(closed.client, [])
        before = max((at for at in heard if at <= closed.at), default=since)
        after = min((at for at in heard if at > closed.at), default=None)
        if closed.at >= since and closed.reason != LEFT and after is not None:
            found.append(after - max(before, since))
    return found


def percentile(figures: Sequence[float], share: float) -> float:
    """The smallest that this share of all does not exceed; 0: there are none."""
    ordered = sorted(figures)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else 0.0
