"""Answers of servers that have met an error of their own."""

from msgspec.structs import replace

from tests.chaos.history import Closed, Outcome, Write
from tests.chaos.planted.doctoring import one_of, put
from tests.chaos.valid_histories import Story

TOLD = "Fault: INTERNAL_FAULT: The server met an error of its own."


def answer_with_a_fault(story: Story) -> None:
    lost = one_of(story, Write, lambda each: each.outcome is Outcome.UNKNOWN)
    put(story, lost, replace(lost, reason=TOLD))


def close_with_a_fault(story: Story) -> None:
    closed = one_of(story, Closed)
    put(story, closed, replace(closed, reason=TOLD))
