"""Gaps and doubles in the one order of changes."""

from msgspec.structs import replace

from tests.chaos.history import (
    Write,
)
from tests.chaos.planted.doctoring import is_ok, one_of, pick, put
from tests.chaos.valid_histories import Story


def leave_a_gap(story: Story) -> None:
    event = pick(story, story.told)
    story.told = [each for each in story.told if each.revision != event.revision]


def give_a_revision_twice(story: Story) -> None:
    one = pick(story, story.change_sets)
    story.change_sets.append(replace(one, request_id="another"))


def answer_a_revision_twice(story: Story) -> None:
    first = one_of(story, Write, is_ok)
    other = one_of(story, Write, lambda each: is_ok(each) and each is not first)
    put(story, other, replace(other, revision=first.revision))


def do_a_call_twice(story: Story) -> None:
    one = pick(story, story.change_sets)
    story.change_sets.append(replace(one, revision=story.revision))


def tell_a_change_twice(story: Story) -> None:
    story.told.append(pick(story, story.told))


def keep_no_history_of_a_change(story: Story) -> None:
    story.versions.remove(pick(story, story.versions))
