"""Who has wanted something else of a unit than a step of an operation does."""

from __future__ import annotations

from collections.abc import Mapping

from metadata_server.domain.orchestration.operation_step import StepMinor, Verdict
from metadata_server.store.intent.authorship import UNKNOWN, authorships
from metadata_server.store.unit_of_work import UnitOfWork


def named(
    unit: UnitOfWork, verdicts: Mapping[int, Verdict], revisions: Mapping[int, int]
) -> dict[int, Verdict]:
    """Verdicts by position; those that were superseded say by whom.

    Args:
        revisions: of the last changes of the units' declarations, by position.
    """
    overtaken = {
        position: revisions[position]
        for position, verdict in verdicts.items()
        if verdict.minor_state is StepMinor.SUPERSEDED
    }
    made = authorships(unit, overtaken.values()) if overtaken else {}
    found = dict(verdicts)
    for position, revision in overtaken.items():
        author = made.get(revision, UNKNOWN).author or "somebody"
        message = f"{author} has told it otherwise: {found[position].message}"
        found[position] = found[position]._replace(message=message)
    return found
