"""Watches that leave something out, tell it twice, or too early."""

from hypothesis import assume
from msgspec.structs import replace

from tests.chaos.history import (
    Closed,
    Opened,
    Word,
    Write,
)
from tests.chaos.planted.doctoring import is_ok, one_of, put
from tests.chaos.valid_histories import Story


def with_events(word: Word) -> bool:
    return bool(word.events)


def miss_an_event(story: Story) -> None:
    word = one_of(story, Word, with_events)
    put(story, word, replace(word, events=word.events[1:]))


def tell_an_event_twice(story: Story) -> None:
    word = one_of(story, Word, with_events)
    put(story, word, replace(word, events=(*word.events, word.events[-1])))


def tell_an_event_again_after_resuming(story: Story) -> None:
    resumed = one_of(story, Opened, lambda each: each.after > 0)
    place = story.records.index(resumed)
    before = [
        event
        for each in story.records[:place]
        if isinstance(each, Word) and each.client == resumed.client
        for event in each.events
    ]
    word = next(
        (each for each in story.records[place:] if isinstance(each, Word)
         and each.client == resumed.client), None,
    )  # fmt: skip
    assume(before and word is not None)
    assert word is not None
    put(story, word, replace(word, events=(before[-1], *word.events)))


def swap_events(story: Story) -> None:
    word = one_of(story, Word, lambda each: len({event.revision for event in each.events}) > 1)
    put(story, word, replace(word, events=tuple(reversed(word.events))))


def tell_the_future(story: Story) -> None:
    word = one_of(story, Word, with_events)
    event = story.told[-1]
    assume(word.revision < event.revision)
    put(story, word, replace(word, events=(*word.events, event)))


def lead_beyond_the_end(story: Story) -> None:
    word = one_of(story, Word)
    put(story, word, replace(word, revision=story.revision + 7))


def go_back(story: Story) -> None:
    word = one_of(story, Word, lambda each: each.revision > 8)
    put(story, word, word, replace(word, revision=word.revision - 8, events=()))


def resume_too_late(story: Story) -> None:
    """It leaves out what happened between two streams."""
    resumed = one_of(story, Opened, lambda each: each.after > 1)
    put(story, resumed, replace(resumed, after=resumed.after + 1))


def never_arrive(story: Story) -> None:
    words = [each for each in story.records if isinstance(each, Word)]
    assume(words[-1].client == "watcher-some")
    last_write = max(
        each.revision for each in story.records if isinstance(each, Write) and is_ok(each)
    )
    story.records = [
        each
        for each in story.records
        if not (
            isinstance(each, Word) and each.client == "watcher-some" and each.revision >= last_write
        )
    ]


def say_that_the_past_is_gone(story: Story) -> None:
    closed = one_of(story, Closed)
    put(story, closed, replace(closed, reason="HISTORY_TRIMMED"))


def close_what_goes_on(story: Story) -> None:
    """A watcher is told that its stream has ended, and then hears more on it."""
    word = one_of(story, Word)
    put(story, word, Closed(client=word.client, at=word.at - 1e-5, reason="DRAINING"), word)


def split_a_revision(story: Story) -> None:
    word = one_of(
        story, Word,
        lambda each: any(
            a.revision == b.revision for a, b in zip(each.events, each.events[1:], strict=False)
        ),
    )  # fmt: skip
    place = next(
        number
        for number, (a, b) in enumerate(zip(word.events, word.events[1:], strict=False), 1)
        if a.revision == b.revision
    )
    put(
        story, word,
        replace(word, events=word.events[:place], revision=word.events[place].revision - 1),
        replace(word, events=word.events[place:]),
    )  # fmt: skip
