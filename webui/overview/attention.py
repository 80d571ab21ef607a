"""What needs attention, worst first: single units, and unit servers whose units share a cause.

A unit server that is out of contact makes all its units abnormal for one reason; they stand
as one line, so that the list still says something when much is down. A unit in an error state
has a reason of its own, and always a line of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mds.v1 import overview_pb2, state_pb2

from webui import vocabulary
from webui.clock import Moment, moment
from webui.names import id_of, page_of
from webui.translation import _
from webui.vocabulary import Mark

_CALM = (state_pb2.HEALTH_UNSPECIFIED, state_pb2.HEALTH_GOOD, state_pb2.HEALTH_CHANGING)
_ERRORS = (state_pb2.STATE_RECOVERABLE_ERROR, state_pb2.STATE_FATAL_ERROR)


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit that is not as it should be.

    Attributes:
        stale: nobody is in contact with it: its state is what it last said.
        contact: set where `why` does not tell it.
    """

    id: str
    page: str
    mark: Mark
    state: Mark
    stale: bool
    desired: str
    contact: Mark | None
    unit_server: str
    unit_server_page: str
    since: Moment | None
    why: str


@dataclass(frozen=True, slots=True)
class UnitServerLine:
    """A unit server that is out of contact, for all its abnormal units."""

    id: str
    page: str
    mark: Mark
    contact: Mark
    abnormal: int
    control_units: int
    since: Moment | None
    why: str


@dataclass(frozen=True, slots=True)
class Attention:
    """The list.

    Attributes:
        total: abnormal units in all.
        changing: units on their way to where they should be; they need nobody.
        hidden: abnormal units that are in none of the lines.
    """

    lines: tuple[UnitLine | UnitServerLine, ...]
    total: int
    changing: int
    hidden: int


def attention(overview: overview_pb2.GetOverviewResponse, today: datetime) -> Attention:
    servers = {
        row.status.unit_server: row
        for row in overview.unit_server_summaries
        if _speaks_for_its_units(row)
    }
    single = [
        unit
        for unit in overview.abnormal_units
        if unit.health not in _CALM and (unit.unit_server not in servers or unit.state in _ERRORS)
    ]
    ranked: list[tuple[int, int, str, UnitLine | UnitServerLine]] = [
        (-row.health, 0, name, _unit_server_line(row, today)) for name, row in servers.items()
    ]
    ranked += [(-u.health, 1, u.control_unit, _unit_line(u, today)) for u in single]
    total = _abnormal(overview.health_counts)
    alone = sum(unit.unit_server not in servers for unit in single)
    covered = alone + sum(_abnormal(row.health_counts) for row in servers.values())
    return Attention(
        lines=tuple(line for *_, line in sorted(ranked, key=lambda entry: entry[:3])),
        total=total,
        changing=sum(
            count.count
            for count in overview.health_counts
            if count.health == state_pb2.HEALTH_CHANGING
        ),
        hidden=max(0, total - covered),
    )


def _abnormal(counts: Iterable[overview_pb2.HealthCount]) -> int:
    return sum(count.count for count in counts if count.health not in _CALM)


def _speaks_for_its_units(row: overview_pb2.UnitServerSummary) -> bool:
    """Whether it gets a line: a single unit says as much itself, and where it can be found."""
    out_of_contact = row.status.contact != state_pb2.CONTACT_ALIVE
    return out_of_contact and row.health not in _CALM and _abnormal(row.health_counts) != 1


def _unit_server_line(row: overview_pb2.UnitServerSummary, today: datetime) -> UnitServerLine:
    status = row.status
    since = moment(status.end_time, today=today) if status.HasField("end_time") else None
    return UnitServerLine(
        id=id_of(status.unit_server),
        page=page_of(status.unit_server),
        mark=vocabulary.health(row.health),
        contact=vocabulary.contact(status.contact),
        abnormal=_abnormal(row.health_counts),
        control_units=row.control_units,
        since=since,
        why=_why_out_of_contact(status.contact, registered=bool(status.session)),
    )


def _why_out_of_contact(contact: int, *, registered: bool) -> str:
    if contact == state_pb2.CONTACT_LOST:
        return _("its lease ran out without a word")
    if contact == state_pb2.CONTACT_SUSPECT:
        return _("missed heartbeats; its lease still runs")
    if contact == state_pb2.CONTACT_NONE:
        return (
            _("its process said good-bye") if registered else _("no process has registered for it")
        )
    return _("the server cannot say whether its process is there")


def _unit_line(unit: overview_pb2.AbnormalUnit, today: datetime) -> UnitLine:
    in_touch = (state_pb2.CONTACT_ALIVE, state_pb2.CONTACT_SUSPECT)
    tells_contact = unit.message and unit.contact != state_pb2.CONTACT_ALIVE
    return UnitLine(
        id=id_of(unit.control_unit),
        page=page_of(unit.control_unit),
        mark=vocabulary.health(unit.health),
        state=vocabulary.state(unit.state),
        stale=unit.contact not in in_touch and unit.state != state_pb2.STATE_UNSPECIFIED,
        desired=vocabulary.desired(unit.desired_state),
        contact=vocabulary.contact(unit.contact) if tells_contact else None,
        unit_server=id_of(unit.unit_server),
        unit_server_page=page_of(unit.unit_server) if unit.unit_server else "",
        since=moment(unit.state_time, today=today) if unit.HasField("state_time") else None,
        why=unit.message or _why(unit),
    )


def _why(unit: overview_pb2.AbnormalUnit) -> str:
    if not unit.unit_server:
        return _("no unit server is declared for it")
    if unit.contact != state_pb2.CONTACT_ALIVE:
        return _why_out_of_contact(unit.contact, registered=True)
    if unit.state in _ERRORS:
        return _("it gave no reason")
    return _("not where it should be")
