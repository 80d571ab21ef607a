"""What the page of one maintenance says."""

from dataclasses import dataclass
from datetime import UTC, datetime

from mds.v1.history_pb2 import ChangeSet
from mds.v1.maintenance_pb2 import Maintenance

from webui.clock import Moment, moment
from webui.names import id_of, page_of
from webui.translation import gettext_noop
from webui.vocabulary import Mark

# Units that are named one by one.
MOST_NAMED = 200
PLANNED = Mark(gettext_noop("Planned"), "none")
GOES_ON = Mark(gettext_noop("Goes on"), "changing")
OVER = Mark(gettext_noop("Over"), "good")


@dataclass(frozen=True, slots=True)
class Covered:
    """A unit, a unit server or a group that it covers.

    Attributes:
        page: of a group: the list of its units.
    """

    id: str
    page: str


@dataclass(frozen=True, slots=True)
class MaintenancePage:
    """All of it.

    Attributes:
        who: who changed it last, which is who answers for it.
        more: units that are covered and not named.
    """

    name: str
    id: str
    page: str
    mark: Mark
    description: str
    who: str
    begin: Moment
    end: Moment | None
    units: tuple[Covered, ...]
    more: int
    unit_servers: tuple[Covered, ...]
    groups: tuple[Covered, ...]
    etag: str

    @property
    def is_over(self) -> bool:
        return self.mark is OVER


def maintenance_page(
    maintenance: Maintenance, change: ChangeSet | None, now: datetime
) -> MaintenancePage:
    begun = maintenance.begin_time if maintenance.HasField("begin_time") else None
    begin = begun or maintenance.create_time
    return MaintenancePage(
        name=maintenance.name,
        id=id_of(maintenance.name),
        page=page_of(maintenance.name),
        mark=mark_of(maintenance, now),
        description=maintenance.description,
        who=change.author if change else "",
        begin=moment(begin, today=now),
        end=moment(maintenance.end_time, today=now) if maintenance.HasField("end_time") else None,
        units=tuple(Covered(id_of(n), page_of(n)) for n in maintenance.control_units[:MOST_NAMED]),
        more=max(0, len(maintenance.control_units) - MOST_NAMED),
        unit_servers=tuple(Covered(id_of(n), page_of(n)) for n in maintenance.unit_servers),
        groups=tuple(
            Covered(f"{prefix}*", f"/control_units?q=id%3A{prefix}*")
            for prefix in maintenance.id_prefixes
        ),
        etag=maintenance.etag,
    )


def mark_of(maintenance: Maintenance, now: datetime) -> Mark:
    """Whether it lasts."""
    if maintenance.HasField("end_time") and maintenance.end_time.ToDatetime(tzinfo=UTC) <= now:
        return OVER
    if maintenance.HasField("begin_time") and maintenance.begin_time.ToDatetime(tzinfo=UTC) > now:
        return PLANNED
    return GOES_ON
