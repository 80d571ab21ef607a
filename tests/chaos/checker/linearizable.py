"""Writes with etags and reads of each resource happen one after the other, each at a moment between
its call and its answer."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.checker.contents import Content, contents_of
from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState, Version
from tests.chaos.history import History, Outcome, Read, Write

NAME = "etag writes and reads are linearizable"
ANY = "*"


def check(history: History, final: FinalState) -> Iterator[Violation]:
    contents = contents_of(final)
    versions = defaultdict[str, list[Version]](list)
    for version in final.versions:
        versions[version.name].append(version)
    writes, reads = defaultdict[str, list[Write]](list), defaultdict[str, list[Read]](list)
    for write in history.of(Write):
        writes[write.resource].append(write)
    for read in history.of(Read):
        if read.outcome is Outcome.OK:
            reads[read.resource].append(read)
    for name in sorted(versions.keys() | writes.keys() | reads.keys()):
        present = {each.revision: each for each in versions[name]}
        known = contents[name]
        yield from _check_etags(writes[name], versions[name], known)
        yield from _check_values(reads[name], present, known)
        yield from _check_times(writes[name], reads[name], versions[name])


def _check_etags(
    writes: Sequence[Write], versions: Sequence[Version], known: dict[int, Content]
) -> Iterator[Violation]:
    """Who wrote had read what was there right before."""
    by_request = {each.request_id: each for each in writes}
    for before, version in pairwise(versions):
        write = by_request.get(version.request_id)
        if write is None or write.etag_asked == ANY or before.revision not in known:
            continue
        right = known[before.revision].etag
        if write.etag_asked != right:
            what = (
                f"{version.name} was written with etag {write.etag_asked} over revision "
                f"{before.revision}, whose etag is {right}: an update is lost"
            )
            yield Violation(NAME, what, (before, write, version))
    for write in writes:
        if write.outcome is Outcome.OK and write.revision in known:
            right = known[write.revision].etag
            if write.etag != right:
                what = f"the writer of {write.resource} was told etag {write.etag}; it is {right}"
                yield Violation(NAME, what, (write,))


def _check_values(
    reads: Sequence[Read], present: dict[int, Version], known: dict[int, Content]
) -> Iterator[Violation]:
    """What was read was there, at that revision."""
    for read in reads:
        if read.revision not in present:
            what = f"{read.resource} was read at revision {read.revision}, which it never had"
            yield Violation(NAME, what, (read,))
            continue
        content = known.get(read.revision)
        if content is not None and (read.value, read.etag) != (content.value, content.etag):
            what = f"{read.resource} was read as {read.value!r}, and was {content.value!r}"
            yield Violation(NAME, what, (read, present[read.revision]))


def _check_times(
    writes: Sequence[Write], reads: Sequence[Read], versions: Sequence[Version]
) -> Iterator[Violation]:
    """Nothing is older than what was known before it was asked, nor newer than what was asked."""
    at = {each.request_id: each.revision for each in versions}
    seen: list[tuple[Read | Write, int]] = [(each, each.revision) for each in reads]
    seen += [(each, each.revision) for each in writes if each.outcome is Outcome.OK]
    seen.sort(key=lambda pair: pair[0].ended)
    ends, newest = [pair[0].ended for pair in seen], _running_newest(seen)
    asked = {at[each.request_id]: each for each in writes if each.request_id in at}
    present: list[tuple[Read | Write, int]] = [(each, each.revision) for each in reads]
    present += [(write, revision) for revision, write in asked.items()]
    for call, revision in present:
        place = bisect_left(ends, call.began)
        if place and newest[place - 1][1] >= revision + isinstance(call, Read):
            earlier, known = newest[place - 1]
            kind = "read" if isinstance(call, Read) else "written"
            what = (
                f"{call.resource} was {kind} at revision {revision} after revision {known} was "
                "known: it is stale"
            )
            yield Violation(NAME, what, (earlier, call))
    for read in reads:
        write = asked.get(read.revision)
        if write is not None and write.began > read.ended:
            what = f"{read.resource} was read at revision {read.revision} before anybody wrote it"
            yield Violation(NAME, what, (read, write))


def _running_newest(
    seen: Sequence[tuple[Read | Write, int]],
) -> list[tuple[Read | Write, int]]:
    """At each place the call with the highest revision so far."""
    found: list[tuple[Read | Write, int]] = []
    for pair in seen:
        found.append(pair if not found or pair[1] > found[-1][1] else found[-1])
    return found
