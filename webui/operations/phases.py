"""How operations and their steps stand, in words.

Filters keep the protocol's names in every language: `phase=HELD minor_state=WaitingForMode`.
"""

import re
from collections.abc import Mapping, Sequence

from mds.v1 import operation_pb2, operation_step_pb2

from webui.translation import _, gettext_noop
from webui.vocabulary import Mark

_PHASES: Mapping[str, Mark] = {
    "PENDING": Mark(gettext_noop("Pending"), "none"),
    "QUEUED": Mark(gettext_noop("Queued"), "none"),
    "EXECUTING": Mark(gettext_noop("Executing"), "changing", "changing"),
    "COMPLETED": Mark(gettext_noop("Completed"), "none"),
    "ERROR": Mark(gettext_noop("Error"), "bad", "bad"),
    "ABORTED": Mark(gettext_noop("Aborted"), "unloaded"),
    "HELD": Mark(gettext_noop("Held"), "warning", "warning"),
    "SUSPENDED": Mark(gettext_noop("Suspended"), "stopped", "warning"),
    "ARCHIVED": Mark(gettext_noop("Archived"), "none"),
}
STEP_STATES: Mapping[operation_step_pb2.StepState.ValueType, Mark] = {
    operation_step_pb2.STEP_STATE_PENDING: Mark(gettext_noop("Waits"), "none"),
    operation_step_pb2.STEP_STATE_EXECUTING: Mark(
        gettext_noop("On the way"), "changing", "changing"
    ),
    operation_step_pb2.STEP_STATE_COMPLETED: Mark(gettext_noop("Done"), "good"),
    operation_step_pb2.STEP_STATE_ERROR: Mark(gettext_noop("Failed"), "bad", "bad"),
    operation_step_pb2.STEP_STATE_ABORTED: Mark(gettext_noop("Aborted"), "unloaded"),
    operation_step_pb2.STEP_STATE_SKIPPED: Mark(gettext_noop("Left out"), "none"),
}
MINOR_STATES = (
    gettext_noop("aborted by person"),
    gettext_noop("aborting"),
    gettext_noop("after failure"),
    gettext_noop("already there"),
    gettext_noop("blocked"),
    gettext_noop("done"),
    gettext_noop("held"),
    gettext_noop("on the way"),
    gettext_noop("out of time"),
    gettext_noop("out of touch"),
    gettext_noop("paused"),
    gettext_noop("reached"),
    gettext_noop("recovering"),
    gettext_noop("refused"),
    gettext_noop("required failed"),
    gettext_noop("rolling back"),
    gettext_noop("running"),
    gettext_noop("skipped by person"),
    gettext_noop("steps failed"),
    gettext_noop("superseded"),
    gettext_noop("taken back"),
    gettext_noop("timed out"),
    gettext_noop("unit failed"),
    gettext_noop("unit gone"),
    gettext_noop("waiting"),
    gettext_noop("waiting for level"),
    gettext_noop("waiting for mode"),
    gettext_noop("waiting for place"),
    gettext_noop("waiting for replica"),
    gettext_noop("waiting for start"),
    gettext_noop("waiting for unit"),
    gettext_noop("waiting to retry"),
    gettext_noop("written"),
)
"""Those that there are today; one of a newer server is shown by its English name."""


def phase_of(operation: operation_pb2.Operation) -> Mark:
    """Its phase; one of a newer server by its number."""
    known = operation_pb2.OperationPhase.DESCRIPTOR.values_by_number.get(operation.phase)
    word = known.name.removeprefix("OPERATION_PHASE_") if known else str(operation.phase)
    return phase_named(word)


def phase_named(word: str) -> Mark:
    """The mark of a phase that filters call so: `EXECUTING`."""
    return _PHASES.get(word) or Mark(word.capitalize(), "none")


def by_step_state(
    counts: operation_step_pb2.StepCounts,
) -> Sequence[tuple[operation_step_pb2.StepState.ValueType, Mark, int]]:
    """How many steps are in each state, those of none, too."""
    numbers = (
        counts.pending,
        counts.executing,
        counts.completed,
        counts.failed,
        counts.aborted,
        counts.skipped,
    )
    return [(*each, number) for each, number in zip(STEP_STATES.items(), numbers, strict=True)]


def minor_words(minor_state: str) -> str:
    """Where in its phase an operation stands, or a step in its state: `WaitingForLevel` is *waiting
    for level*."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", minor_state).lower()
    return _(words) if words else ""
