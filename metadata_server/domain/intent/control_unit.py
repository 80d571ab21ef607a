"""Control units: what people declare, and what the units report, apart from each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from metadata_server.domain.intent.attribute import AttributeOverride, Driver
from metadata_server.domain.life.condition import NOT_CONVERGING, Condition
from metadata_server.domain.life.recovery import NO_RECOVERY, Recovery
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind, zone_of
from metadata_server.domain.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlUnit(Resource):
    """A declared device controller.

    Attributes:
        template: id of its template.
        template_version: that it stays on.
        unit_server: id of the process that hosts it; empty: none.
        desired_state: UNSPECIFIED: it is left alone.
        recover_count: grows with each order to recover.
        overrides: sorted by attribute.
        drivers: none: those of the template.
        level: where its turn is: started in ascending order, stopped in descending.
        requires: ids of units, and groups (`RING/MAG/`), that must be RUNNING before it is
            started, and stay so until it is stopped.
        after: likewise, but only an order, where both are in one operation.
    """

    kind: ClassVar[Kind] = Kind.CONTROL_UNIT

    template: str = ""
    template_version: int = 0
    unit_server: str = ""
    desired_state: State = State.UNSPECIFIED
    recover_count: int = 0
    overrides: tuple[AttributeOverride, ...] = ()
    drivers: tuple[Driver, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    level: int = 0
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def zone(self) -> str:
        return zone_of(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlUnitStatus:
    """What a control unit last said of itself. Small: under 200 bytes as it is kept.

    Attributes:
        id: of the unit.
        key: of the unit.
        session: key of the session that stamped it; only that one may change it.
        sequence: of the last report taken.
        state_time_us: when it came to be in its state, by the database's clock.
        passed: states it went through since the image before, with their times.
        dataset: hash of what its code published; empty: nothing yet.
        recovery: what its unit server does to get it to where people want it.
        conditions: what else holds of it, sorted by type.
    """

    kind: ClassVar[Kind] = Kind.CONTROL_UNIT_STATUS

    id: str
    key: int
    unit_server: str = ""
    session: str = ""
    sequence: int = 0
    state: State = State.UNSPECIFIED
    state_time_us: int = 0
    message: str = ""
    passed: tuple[PassedState, ...] = ()
    reached_generation: int = 0
    reached_recover_count: int = 0
    dataset: str = ""
    fingerprint: str = ""
    unfenced: bool = False
    recovery: Recovery = NO_RECOVERY
    conditions: tuple[Condition, ...] = ()
    revision: int = 0

    @property
    def is_stuck(self) -> bool:
        """Whether it was found not to come to where people want it."""
        return any(each.type == NOT_CONVERGING for each in self.conditions)


@dataclass(frozen=True, slots=True)
class PassedState:
    """A state on the way, when it was reached, and why."""

    state: State
    time_us: int
    message: str = ""


def with_condition(status: ControlUnitStatus, condition: Condition | None) -> ControlUnitStatus:
    """A status with one more condition; None: as it is."""
    if condition is None:
        return status
    conditions = sorted((*status.conditions, condition), key=lambda each: each.type)
    return replace(status, conditions=tuple(conditions))
