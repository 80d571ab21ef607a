"""What was acknowledged is there, once; what was refused is not; the rest may be."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import ChangeSet, FinalState, Version
from tests.chaos.history import Bundle, History, Outcome, Write

NAME = "acknowledged writes are kept"


def check(history: History, final: FinalState) -> Iterator[Violation]:
    versions = defaultdict[str, list[Version]](list)
    for version in final.versions:
        versions[version.request_id].append(version)
    for write in history.of(Write):
        yield from _check_write(write, versions[write.request_id])
    yield from _check_askers(history, final)
    yield from _check_present(final)
    yield from _check_bundles(history, final)


def _check_write(write: Write, found: list[Version]) -> Iterator[Violation]:
    if len(found) > 1:
        yield Violation(NAME, f"{write.resource} was written twice by one call", (write, *found))
    if write.outcome is Outcome.OK and not found:
        what = f"revision {write.revision} of {write.resource} was acknowledged and is not there"
        yield Violation(NAME, what, (write,))
    if write.outcome is Outcome.REFUSED and found:
        what = f"{write.resource} was written by a call that was refused ({write.reason})"
        yield Violation(NAME, what, (write, *found))
    for version in found:
        is_other = write.outcome is Outcome.OK and version.revision != write.revision
        if is_other or version.name != write.resource:
            what = (
                f"{write.resource} was acknowledged at revision {write.revision}; what is there "
                f"is {version.name} at {version.revision}"
            )
            yield Violation(NAME, what, (write, version))
        if version.value is not None and version.value != write.value:
            what = f"{write.resource} is {version.value!r}, and was written as {write.value!r}"
            yield Violation(NAME, what, (write, version))


def _check_askers(history: History, final: FinalState) -> Iterator[Violation]:
    """Nothing happens to a probe's resource that nobody asked for."""
    asked = {each.request_id for each in history.of(Write)}
    asked |= {each.request_id for each in history.of(Bundle)}
    for version in final.versions:
        if version.request_id not in asked:
            what = f"nobody asked for revision {version.revision} of {version.name}"
            yield Violation(NAME, what, (version,))


def _check_present(final: FinalState) -> Iterator[Violation]:
    """What is read in the end is what the last change made."""
    last = {each.name: each for each in final.versions}
    for name, version in last.items():
        current = final.resources.get(name)
        if current is None:
            if version.action != "DELETED":
                yield Violation(NAME, f"{name} is gone, and nobody deleted it", (version,))
            continue
        if current.revision > final.end:
            continue  # a call that nobody waits for any more was done since the last look
        if current.revision != version.revision or version.value not in {None, current.value}:
            what = f"{name} is not what its last change made of it"
            yield Violation(NAME, what, (version, current))


def _check_bundles(history: History, final: FinalState) -> Iterator[Violation]:
    """Wholly or not at all."""
    touched = defaultdict[int, set[str]](set)
    for event in final.told:
        touched[event.revision].add(event.name)
    sets = defaultdict[str, list[ChangeSet]](list)
    for each in final.change_sets:
        sets[each.request_id].append(each)
    for bundle in history.of(Bundle):
        found = sets[bundle.request_id]
        proof = (without_values(bundle), *found)
        if len(found) > 1:
            yield Violation(NAME, "a bundle was applied twice", proof)
        if bundle.outcome is Outcome.OK and not found:
            yield Violation(NAME, "a bundle was acknowledged and is not there", proof)
        if bundle.outcome is Outcome.REFUSED and found:
            yield Violation(NAME, "a bundle was applied that was refused", proof)
        for each in found:
            if bundle.outcome is Outcome.OK and each.revision != bundle.revision:
                yield Violation(NAME, "a bundle was acknowledged at another revision", proof)
            left_out = bundle.values.keys() - touched[each.revision]
            if left_out:
                names = ", ".join(sorted(left_out)[:5])
                what = f"{len(left_out)} of {len(bundle.values)} resources were left out: {names}"
                yield Violation(NAME, what, proof)


def without_values(bundle: Bundle) -> Bundle:
    """As it is shown: thousands of values help nobody."""
    few = dict(list(bundle.values.items())[:2])
    return Bundle(
        client=bundle.client, request_id=bundle.request_id, values=few, began=bundle.began,
        ended=bundle.ended, outcome=bundle.outcome, revision=bundle.revision, reason=bundle.reason,
    )  # fmt: skip
