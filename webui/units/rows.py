"""The units of one unit server, a page of them, as read when someone opens it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mds.v1 import condition_pb2, control_unit_pb2, state_pb2

from webui import vocabulary
from webui.clock import Moment, moment
from webui.names import id_of, page_of
from webui.vocabulary import Mark

IN_MAINTENANCE = "InMaintenance"


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One fact about a unit.

    Attributes:
        title: its type in words.
        page: where more of it is told; empty: nowhere.
        fields: what of its configuration it is about.
    """

    title: str
    message: str
    since: Moment | None
    fields: tuple[str, ...]
    page: str = ""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit.

    Attributes:
        name: `control_units/{id}`; an event with this name means: read it again.
        stale: nobody is in contact with it: its state is what it last said.
        unfenced: it started from its copy on disk and no server has confirmed it.
        conditions: what else holds of it.
    """

    name: str
    id: str
    page: str
    mark: Mark
    state: Mark
    stale: bool
    since: Moment | None
    message: str
    unfenced: bool
    conditions: tuple[ConditionRow, ...]


def unit_rows(
    statuses: Sequence[control_unit_pb2.ControlUnitStatus], today: datetime
) -> tuple[UnitRow, ...]:
    """The rows, worst first, then in the order in which they came: by id."""
    ordered = sorted(statuses, key=lambda status: -status.health)
    return tuple(unit_row(status, today) for status in ordered)


def unit_row(status: control_unit_pb2.ControlUnitStatus, today: datetime) -> UnitRow:
    in_contact = (state_pb2.CONTACT_ALIVE, state_pb2.CONTACT_SUSPECT)
    reported = status.state != state_pb2.STATE_UNSPECIFIED
    return UnitRow(
        name=status.control_unit,
        id=id_of(status.control_unit),
        page=page_of(status.control_unit),
        mark=vocabulary.health(status.health),
        state=vocabulary.state(status.state),
        stale=reported and status.contact not in in_contact,
        since=moment(status.state_time, today=today) if status.HasField("state_time") else None,
        message=status.message,
        unfenced=status.unfenced,
        conditions=tuple(condition_row(each, today) for each in status.conditions),
    )


def condition_row(condition: condition_pb2.Condition, today: datetime) -> ConditionRow:
    return ConditionRow(
        title=vocabulary.condition(condition.type),
        message=condition.message,
        since=moment(condition.since, today=today) if condition.HasField("since") else None,
        fields=tuple(condition.fields),
        page="/maintenances" if condition.type == IN_MAINTENANCE else "",
    )
