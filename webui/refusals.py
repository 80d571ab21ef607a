"""What a refusal of the server means, in the language of the pages.

The server speaks English: its sentence names what, so it always stands behind the translated one.
In English it stands alone.
"""

from collections.abc import Mapping

from mds.v1.bundle_pb2 import Problem

from control_units.client import Refused
from webui.translation import ENGLISH, _, gettext_noop, spoken

MEANINGS: Mapping[str, str] = {
    "INVALID_FIELD": gettext_noop("A field has a value that cannot be."),
    "INVALID_FILTER": gettext_noop("The filter is not understood."),
    "INVALID_VALUE": gettext_noop("A value does not fit its type."),
    "OVERRIDE_OUT_OF_RANGE": gettext_noop("A value lies outside its range."),
    "REQUIREMENT_BROKEN": gettext_noop("The values do not go together."),
    "REASON_REQUIRED": gettext_noop("A policy wants a reason for this change."),
    "DEPENDENCY_CYCLE": gettext_noop("Units depend on one another in a circle."),
    "NOTHING_SELECTED": gettext_noop("No control unit is selected by that."),
    "ALREADY_EXISTS": gettext_noop("There is one of this name already."),
    "STILL_IN_USE": gettext_noop("Others still use it."),
    "ETAG_MISMATCH": gettext_noop("Somebody has changed it meanwhile."),
    "CHANGED_SINCE": gettext_noop("It has been changed again since."),
    "PLAN_MOVED": gettext_noop("The plan is another one than the one that was seen."),
    "NOT_A_DRAFT": gettext_noop("The template has no draft."),
    "STILL_A_DRAFT": gettext_noop("The version is a draft, which no unit may use."),
    "UNIT_IN_MAINTENANCE": gettext_noop("The control unit is in maintenance and takes no orders."),
    "UNITS_BLOCKED": gettext_noop("Something is in the way of some units."),
    "FORBIDDEN_BY_GUARD": gettext_noop("A guard forbids it in the present mode of the machine."),
    "OPERATION_ENDED": gettext_noop("The operation has ended."),
    "NOTHING_TO_RETRY": gettext_noop("No step of the operation can be tried again."),
    "VALUES_MISSING": gettext_noop("Some units have reported no values."),
    "NO_AGENT": gettext_noop("No agent launches this unit server."),
    "AGENT_OUT_OF_TOUCH": gettext_noop("The agent does not answer."),
    "HISTORY_TRIMMED": gettext_noop("What was then is not kept any more."),
    "HISTORY_RESET": gettext_noop("There was no such moment in this history."),
    "DATABASE_UNAVAILABLE": gettext_noop("The database does not answer. Try again."),
    "CONTENTION": gettext_noop("Others are changing the same. Try again."),
    "TOO_BUSY": gettext_noop("The server has too much to do. Try again in a while."),
    "CHANGE_TOO_LARGE": gettext_noop("It is too much for one change. Change fewer at a time."),
    "OUTCOME_UNKNOWN": gettext_noop("Nobody knows whether it was done. Send it again just so."),
    "INTERNAL_FAULT": gettext_noop("The server has made a mistake; its log says which."),
    "ROLE_REQUIRED": gettext_noop("Your role does not allow this."),
}


def told(refused: Refused | Problem) -> str:
    """What it means, and in parentheses what the server said.

    Args:
        refused: a call, or one item of a bundle.
    """
    return in_words(refused.reason, refused.message)


def in_words(reason: str, message: str) -> str:
    """
    Args:
        message: what the server said, or as much of it as is not shown elsewhere.
    """
    meaning = MEANINGS.get(reason)
    if meaning is None or spoken() == ENGLISH:
        return message
    return f"{_(meaning)} ({message})"
