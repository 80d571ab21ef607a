"""The checker accepts what is right, and finds each fault that is planted in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.chaos.checker import GUARANTEES, violations
from tests.chaos.history import (
    AnyRecord,
    Closed,
    History,
    Opened,
    Outcome,
    Recorder,
    Word,
    Write,
    read_history,
)
from tests.chaos.planted import FAULTS, Fault
from tests.chaos.valid_histories import Story, make_story

SEEDS = st.integers(0, 2**32)
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_a_history_that_is_right_is_accepted(seed: int) -> None:
    story = make_story(seed)
    assert not violations(story.history(), story.final())


@pytest.mark.parametrize(
    ("guarantee", "fault"),
    [(name, fault) for name, faults in FAULTS.items() for fault in faults],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
@FEW
@given(seed=SEEDS)
def test_a_planted_fault_is_found(guarantee: str, fault: Fault, seed: int) -> None:
    story = make_story(seed)
    fault(story)
    found = list(GUARANTEES[guarantee](story.history(), story.final()))
    assert found, f"{fault.__name__} passed as {guarantee}"
    assert all(str(each).startswith(guarantee) for each in found)


def test_a_step_may_be_too_late_only_where_something_was_broken() -> None:
    story = make_story(2)
    by_end = {each.phase: name for name, each in story.operations.items()}
    assert by_end.keys() == {"ABORTED", "ERROR"}, "one was taken over, one was too late"
    assert not violations(story.history(), story.final())
    (found,) = violations(story.history(), story.final(), is_broken=False)
    assert f"2 of 3 steps of {by_end['ERROR']} have not come there" in found.what


def test_every_guarantee_is_broken_by_some_fault() -> None:
    assert FAULTS.keys() == GUARANTEES.keys()


def test_a_violation_shows_the_records_that_prove_it() -> None:
    story = make_story(1)
    lost = next(
        each
        for each in story.records
        if isinstance(each, Write) and each.outcome is Outcome.OK and each.etag_asked != "*"
    )
    story.versions = [each for each in story.versions if each.request_id != lost.request_id]
    text = str(violations(story.history(), story.final())[0])
    assert f"revision {lost.revision} of {lost.resource} was acknowledged and is not there" in text
    assert lost.request_id in text


def test_a_watcher_that_is_told_that_the_past_is_gone_may_miss_it_but_not_be_told_so() -> None:
    """It goes on from now."""
    story = make_story(2)
    missed = list(without_the_middle(story, "HISTORY_RESET"))
    (found,) = violations(History(missed), story.final())
    assert "watcher-all was told HISTORY_RESET" in str(found)
    unexcused = list(without_the_middle(story, "DRAINING"))
    assert violations(History(unexcused), story.final())


def without_the_middle(story: Story, reason: str) -> Iterator[AnyRecord]:
    """One watcher comes back ten revisions later than it had come."""
    name = "watcher-all"
    words = [each for each in story.records if isinstance(each, Word) and each.client == name]
    early, late = words[2], words[-3]
    for each in story.records:
        is_kept = isinstance(each, Word) and not early.at < each.at < late.at
        if is_kept or each.client != name:
            yield each
        if each is early:
            yield Closed(client=name, at=early.at, reason=reason)
        if each is words[-4]:
            after = each.revision if isinstance(each, Word) else 0
            yield Opened(client=name, at=late.at - 1e-6, after=after)
        if each is story.records[0]:
            yield Opened(client=name, at=0.0, after=0)


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    story = make_story(3)
    path = tmp_path / "history.jsonl"
    with Recorder(path) as recorder:
        for each in story.records:
            recorder.record(each)
    with path.open("ab") as file:
        file.write(b'{"type":"read","cli')  # who wrote it was killed here
    read = read_history(path)
    assert len(read) == len(story.records)
    assert not violations(read, story.final())
