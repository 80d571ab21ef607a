"""Conditions: facts about a control unit, besides its state, that somebody should know.

There are as many as there are facts, and none for what does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CONFIG_DRIFT = "ConfigDrift"
DATASET_CONTRADICTS_TEMPLATE = "DatasetContradictsTemplate"
IN_MAINTENANCE = "InMaintenance"
KEEPS_DYING = "KeepsDying"
NOT_CONVERGING = "NotConverging"
OUT_OF_DATE = "OutOfDate"
TYPES = (
    CONFIG_DRIFT,
    DATASET_CONTRADICTS_TEMPLATE,
    IN_MAINTENANCE,
    KEEPS_DYING,
    NOT_CONVERGING,
    OUT_OF_DATE,
)

MOST_FIELDS = 50
"""Fields that one condition names; its message counts all of them."""


class ConditionStatus(StrEnum):
    """Whether a condition holds; one that does not is not there."""

    TRUE = "TRUE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One fact.

    Attributes:
        type: one of `TYPES`.
        reason: why, in one word for programs.
        message: why, as a sentence for people.
        since_us: when it began to hold, by the database's clock; 0: not known.
        fields: that it is about (`attributes[current].maximum`), at most `MOST_FIELDS`.
    """

    type: str
    reason: str
    message: str
    since_us: int
    fields: tuple[str, ...] = ()
    status: ConditionStatus = ConditionStatus.TRUE


def outlives_session(condition: Condition) -> bool:
    """Whether it goes on holding of a unit when the process that hosts it is gone."""
    if condition.type == NOT_CONVERGING:
        return condition.reason == KEEPS_DYING
    return condition.type != CONFIG_DRIFT


def out_of_date(version: int, newest: int, since_us: int) -> Condition | None:
    """Whether there is a newer version of its template that a unit may use; None: there is none.

    Args:
        since_us: when that version was published.
    """
    if version >= newest:
        return None
    return Condition(
        type=OUT_OF_DATE,
        reason="NewerVersion",
        message=f"It is on version {version} of its template; the newest is {newest}.",
        since_us=since_us,
    )
