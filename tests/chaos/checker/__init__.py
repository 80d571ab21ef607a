"""Decides, over a history and what is true in the end, whether what is promised has held.

A module for each guarantee: pure functions, whose violations are data.
"""

from tests.chaos.checker import (
    acknowledged,
    holders,
    linearizable,
    mistakes,
    operations,
    refusals,
    revisions,
    watches,
)
from tests.chaos.checker.violation import Violation
from tests.chaos.final_state import FinalState
from tests.chaos.history import History

GUARANTEES = {
    each.NAME: each.check
    for each in (
        *(acknowledged, linearizable, refusals, mistakes),
        *(revisions, watches, holders, operations),
    )
}


def violations(history: History, final: FinalState, *, is_broken: bool = True) -> list[Violation]:
    """Everything that is wrong, guarantee by guarantee.

    Args:
        is_broken: a fault was in, which explains what did not come about in time.
    """
    found = [each for check in GUARANTEES.values() for each in check(history, final)]
    return found if is_broken else [*found, *operations.not_done(history, final)]
