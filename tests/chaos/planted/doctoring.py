"""What all that plant a fault in a story do."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import assume

from tests.chaos.history import (
    AnyRecord,
    Bundle,
    Outcome,
    Read,
    Record,
    Write,
)
from tests.chaos.valid_histories import Story

R = TypeVar("R", bound=Record)
T = TypeVar("T")


def one_of(story: Story, kind: type[R], wanted: Callable[[R], bool] = bool) -> R:
    return pick(story, [each for each in story.records if isinstance(each, kind) and wanted(each)])


def pick(story: Story, found: Sequence[T]) -> T:
    assume(found)
    return story.rng.choice(found)


def put(story: Story, old: AnyRecord, *new: AnyRecord) -> None:
    place = next(number for number, each in enumerate(story.records) if each is old)
    story.records[place : place + 1] = new


def is_ok(call: Write | Bundle | Read) -> bool:
    return call.outcome is Outcome.OK


def is_refused(call: Write | Bundle | Read) -> bool:
    return call.outcome is Outcome.REFUSED
