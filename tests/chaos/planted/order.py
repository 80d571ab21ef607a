"""Reads and writes in an order that cannot be."""

from hypothesis import assume
from msgspec.structs import replace

from tests.chaos.history import (
    Read,
    Write,
)
from tests.chaos.planted.doctoring import is_ok, one_of, pick, put
from tests.chaos.valid_histories import Story


def read_what_is_stale(story: Story) -> None:
    known = {
        each.resource: each.revision
        for each in story.records
        if isinstance(each, Read | Write) and is_ok(each)
    }  # of each the last, which is the newest
    read = one_of(story, Read, lambda each: 0 < each.revision < known[each.resource])
    put(story, read, replace(read, began=story.later(), ended=story.later()))


def read_ahead_of_time(story: Story) -> None:
    read = one_of(story, Read, is_ok)
    put(story, read, replace(read, began=1.0, ended=2.0))


def read_what_never_was(story: Story) -> None:
    read = one_of(story, Read, is_ok)
    put(story, read, replace(read, revision=10_000))


def read_another_value(story: Story) -> None:
    read = one_of(story, Read, is_ok)
    put(story, read, replace(read, value="another"))


def lose_an_update(story: Story) -> None:
    """A write with an etag that was no longer right is taken."""
    write = one_of(story, Write, lambda each: is_ok(each) and each.etag_asked != "*")
    put(story, write, replace(write, etag_asked="etag-0"))


def write_into_the_past(story: Story) -> None:
    """A later write gets an earlier revision: it began when the other was acknowledged."""
    writes = [each for each in story.records if isinstance(each, Write) and is_ok(each)]
    first = pick(story, writes)
    put(story, first, replace(first, began=story.later(), ended=story.later()))
    assume(any(w.resource == first.resource and w.revision > first.revision for w in writes))


def answer_another_etag(story: Story) -> None:
    write = one_of(story, Write, is_ok)
    put(story, write, replace(write, etag="another"))
