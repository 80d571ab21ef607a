"""Lists of operations: which, and in what order."""

from __future__ import annotations

from dataclasses import dataclass

from metadata_server.domain.orchestration.operation import Phase
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.page import digest_of
from metadata_server.domain.refused import Refused, WrongField

SORTABLE = (
    "create_time",
    "start_time",
    "end_time",
    "update_time",
    "sign_of_life_time",
    "phase",
    "minor_state",
    "verb",
    "author",
    "steps",
    "failed",
    "name",
)
OF_FILTERS = {
    "created": "create_time",
    "started": "start_time",
    "ended": "end_time",
    "changed": "update_time",
    "id": "name",
}
"""The same, as filters call them."""
DEFAULT_ORDER = "create_time desc"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSelection:
    """Operations that pass all filters that are not empty.

    Attributes:
        order_by: as its caller wrote it.
        control_unit: id of a unit that they have a step for.
        since_us: created then or later.
        until_us: created before; 0: whenever.
        campaign: id of the one that they were given for.
        filter: as its caller wrote it.
        text: that stands in the reason or the message, whatever the case of its letters.
    """

    order_by: str = ""
    phases: tuple[Phase, ...] = ()
    verbs: tuple[Verb, ...] = ()
    author: str = ""
    control_unit: str = ""
    since_us: int = 0
    until_us: int = 0
    text: str = ""
    campaign: str = ""
    filter: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self)

    def sorting(self) -> tuple[str, bool]:
        """By what, and whether it descends.

        Raises:
            Refused: INVALID_FIELD.
        """
        field, _, direction = (self.order_by.strip() or DEFAULT_ORDER).partition(" ")
        field = OF_FILTERS.get(field, field)
        if field not in SORTABLE or direction not in {"", "asc", "desc"}:
            expected = (
                f"one of {', '.join((*SORTABLE, *OF_FILTERS))}, and ' desc' for the opposite order"
            )
            raise Refused.wrong_fields([WrongField("order_by", self.order_by, expected)])
        return field, direction == "desc"
