"""States of control units, contact of sessions, and the verdict that both give."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a control unit stands in its life; UNSPECIFIED: nobody has said."""

    UNSPECIFIED = "UNSPECIFIED"
    UNLOADED = "UNLOADED"
    LOADED = "LOADED"
    INITIALIZED = "INITIALIZED"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    RECOVERABLE_ERROR = "RECOVERABLE_ERROR"
    FATAL_ERROR = "FATAL_ERROR"

    @property
    def is_error(self) -> bool:
        return self in ERRORS


ERRORS = frozenset({State.RECOVERABLE_ERROR, State.FATAL_ERROR})

DESIRABLE = frozenset(State) - ERRORS
"""What people can want a unit to be."""


class Contact(StrEnum):
    """Whether word still comes from a session; NONE: there is no session."""

    ALIVE = "ALIVE"
    SUSPECT = "SUSPECT"
    LOST = "LOST"
    UNKNOWN = "UNKNOWN"
    NONE = "NONE"


WORST_CONTACT_FIRST = (
    Contact.LOST,
    Contact.UNKNOWN,
    Contact.SUSPECT,
    Contact.NONE,
    Contact.ALIVE,
)


class Health(StrEnum):
    """The one-word verdict; `WORST_FIRST` has their order."""

    GOOD = "GOOD"
    CHANGING = "CHANGING"
    UNKNOWN = "UNKNOWN"
    WARNING = "WARNING"
    BAD = "BAD"


WORST_FIRST = (Health.BAD, Health.WARNING, Health.UNKNOWN, Health.CHANGING, Health.GOOD)

OUT_OF_TOUCH = {
    Contact.LOST: Health.BAD,
    Contact.UNKNOWN: Health.UNKNOWN,
    Contact.SUSPECT: Health.WARNING,
}


def health_of(
    state: State,
    desired: State,
    contact: Contact,
    *,
    in_maintenance: bool = False,
    is_stuck: bool = False,
) -> Health:
    """The verdict about one control unit.

    A lost or erring unit is bad whatever people want; one without a process is a warning
    only when people want it up; so is one that is stuck on its way. Of one in maintenance
    nobody expects anything.
    """
    if in_maintenance:
        return Health.GOOD
    if contact is Contact.LOST:
        return Health.BAD
    if contact is not Contact.NONE and state.is_error:
        return Health.BAD
    if contact in OUT_OF_TOUCH:
        return OUT_OF_TOUCH[contact]
    wanted = desired not in (State.UNSPECIFIED, State.UNLOADED)
    if contact is Contact.NONE:
        return Health.WARNING if wanted else Health.GOOD
    if desired in (State.UNSPECIFIED, state):
        return Health.GOOD
    return Health.WARNING if is_stuck else Health.CHANGING


def worst(verdicts: frozenset[Health] | set[Health]) -> Health:
    """The worst of some verdicts; GOOD when there are none."""
    return next((health for health in WORST_FIRST if health in verdicts), Health.GOOD)
