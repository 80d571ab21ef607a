"""Watches are ordered, unique, atomic, reliable, resumable, bookmarkable and filtered, as
`tests.watch.validators` says; nobody is told that the past is gone, as it never is in a round."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState
from tests.chaos.history import (
    HISTORY_IS_GONE,
    Bundle,
    Closed,
    History,
    Opened,
    Outcome,
    Word,
    Write,
)
from tests.watch.records import Connection, Heard, Record, Truth, Wanted
from tests.watch.validators import breaches

NAME = "watches are ordered, unique, reliable and resumable"
MOST_TOLD = 20
"""Of one watcher: what goes wrong once goes wrong for all that follows."""
Said = Opened | Word | Closed


def check(history: History, final: FinalState) -> Iterator[Violation]:
    acknowledged = _acknowledged(history, final)
    for watcher, said in _by_watcher(history).items():
        parts = list(_parts(said))
        for number, record in enumerate(parts):
            is_last = number == len(parts) - 1
            reached = record.position or 0
            due = {key: names for key, names in acknowledged.items() if is_last or key <= reached}
            truth = Truth(final.told, due)
            for what in breaches(record, truth)[:MOST_TOLD]:
                yield Violation(NAME, f"{watcher} ({record.wanted}): {what}")
        yield from _check_streams(watcher, said)
        yield from _check_future(watcher, said, final)
        for each in said:
            if isinstance(each, Closed) and each.reason in HISTORY_IS_GONE:
                yield Violation(NAME, f"{watcher} was told {each.reason}", (each,))


def _acknowledged(history: History, final: FinalState) -> dict[int, frozenset[str]]:
    found = defaultdict[int, set[str]](set)
    for write in history.of(Write):
        if write.outcome is Outcome.OK:
            found[write.revision].add(write.resource)
    for bundle in history.of(Bundle):
        if bundle.outcome is Outcome.OK and bundle.revision:
            found[bundle.revision].update(bundle.values)
    return {key: frozenset(names) for key, names in found.items() if key > final.begin}


def _by_watcher(history: History) -> dict[str, list[Said]]:
    found = defaultdict[str, list[Said]](list)
    said: list[Said] = [*history.of(Opened), *history.of(Word), *history.of(Closed)]
    # A stable sort: of one watcher at one moment, what it asks comes before what it is told.
    for each in sorted(said, key=lambda one: one.at):
        found[each.client].append(each)
    return found


def _parts(said: Sequence[Said]) -> Iterator[Record]:
    """What a watcher saw; a new part begins where it was told that the past is gone."""
    record: Record | None = None
    connection: Connection | None = None
    for each in said:
        if isinstance(each, Opened):
            wanted = Wanted(frozenset(each.kinds), each.prefix)
            record = record or Record(wanted)
            connection = Connection(None if each.after < 0 else each.after)
        elif isinstance(each, Word):
            assert record is not None
            assert connection is not None, "a word came on no stream"
            if not connection.heard:
                record.connections.append(connection)
            connection.heard.append(Heard(each.revision, each.events))
        elif each.reason in HISTORY_IS_GONE and record is not None:
            if record.connections:
                yield record
            record = None
    if record is not None and record.connections:
        yield record


def _check_streams(watcher: str, said: Sequence[Said]) -> Iterator[Violation]:
    """A stream that was said to have ended has ended."""
    closed: Closed | None = None
    for each in said:
        if isinstance(each, Closed):
            closed = each
        elif isinstance(each, Opened):
            closed = None
        elif closed is not None:
            what = f"{watcher} was told revision {each.revision} on a stream that had ended"
            yield Violation(NAME, what, (closed,))


def _check_future(watcher: str, said: Sequence[Said], final: FinalState) -> Iterator[Violation]:
    """Nobody is told what never happened, nor led beyond the end of what did."""
    for each in said:
        if isinstance(each, Word) and each.epoch == final.epoch and each.revision > final.end:
            what = (
                f"{watcher} was led to revision {each.revision}; the last there is is {final.end}"
            )
            yield Violation(NAME, what)
