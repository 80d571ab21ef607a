"""No server says that it has made a mistake: whatever is broken around it has a reason of its own."""

from collections.abc import Iterator

from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState
from tests.chaos.history import Bundle, Closed, History, Lost, Ordered, Read, Write

NAME = "servers make no mistakes"
MISTAKE = "INTERNAL_FAULT"
"""The reason that servers give for an error of their own; their logs tell more of it."""


Answered = Read | Write | Bundle | Ordered | Closed | Lost


def check(history: History, _: FinalState) -> Iterator[Violation]:
    told: list[Answered] = [*history.of(Read), *history.of(Write), *history.of(Bundle)]
    told += [*history.of(Ordered), *history.of(Closed), *history.of(Lost)]
    for record in told:
        if MISTAKE in record.reason:
            yield Violation(NAME, f"{record.client} was told {record.reason}", (record,))
