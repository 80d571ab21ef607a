"""What guards can forbid to change of control units."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class GuardedChange(StrEnum):
    """What a guard can forbid."""

    ORDERS = "ORDERS"
    OVERRIDES = "OVERRIDES"
    PARAMETERS = "PARAMETERS"
    DRIVERS = "DRIVERS"
    TEMPLATE = "TEMPLATE"
    MOVES = "MOVES"
    DELETION = "DELETION"
    EVERYTHING = "EVERYTHING"


FIELDS: Mapping[GuardedChange, tuple[str, ...]] = {
    GuardedChange.ORDERS: ("desired_state", "recover_count"),
    GuardedChange.OVERRIDES: ("overrides",),
    GuardedChange.PARAMETERS: ("parameters",),
    GuardedChange.DRIVERS: ("drivers",),
    GuardedChange.TEMPLATE: ("template", "template_version"),
    GuardedChange.MOVES: ("unit_server", "id"),
}
"""Fields of a control unit whose change each is; DELETION and EVERYTHING have none of their own."""
