"""What the overview page says, worked out of one GetOverviewResponse.

Pure functions from messages to small frozen views. The views compare by value: a row whose
view is equal to the last one is not rendered again and not sent again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from mds.v1 import overview_pb2, state_pb2

from webui import vocabulary
from webui.clock import Moment, moment
from webui.names import id_of, page_of
from webui.overview.attention import Attention, attention
from webui.overview.bar import Segment, health_bar
from webui.overview.group import MOST_ROWS, GroupRow, group_row
from webui.translation import _, grouped, ngettext
from webui.vocabulary import Mark

_IN_TOUCH = (state_pb2.CONTACT_ALIVE, state_pb2.CONTACT_SUSPECT)


@dataclass(frozen=True, slots=True)
class Tally:
    mark: Mark
    count: int


@dataclass(frozen=True, slots=True)
class ContactTally:
    mark: Mark
    unit_servers: int
    control_units: int


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict about everything, in one sentence."""

    mark: Mark
    sentence: str
    title: str
    tallies: tuple[Tally, ...]
    bar: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class UnitServerRow:
    """One unit server, closed: its units are read when someone opens it.

    Attributes:
        out_of_contact: no heartbeats come, or the server cannot say.
        stale: what its units are is what they last said.
        place: host and process id; empty: it never registered.
        span: when its session began, or ended.
    """

    id: str
    page: str
    mark: Mark
    contact: Mark
    out_of_contact: bool
    stale: bool
    control_units: int
    running: int
    place: str
    version: str
    span_word: str
    span: Moment | None
    others: tuple[Tally, ...]
    bar: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Glance:
    """The whole page.

    Attributes:
        hidden_zones, hidden_unit_servers: how many are not among the rows; none is worse.
        blind_until: set while the server itself cannot tell of somebody who is in contact.
    """

    headline: Headline
    states: tuple[Tally, ...]
    contacts: tuple[ContactTally, ...]
    attention: Attention
    zones: tuple[GroupRow, ...]
    hidden_zones: int
    unit_servers: tuple[UnitServerRow, ...]
    hidden_unit_servers: int
    time: Moment
    blind_until: Moment | None
    revision: int
    replica: str
    version: str


def glance(overview: overview_pb2.GetOverviewResponse) -> Glance:
    today = overview.time.ToDatetime(tzinfo=UTC)
    # Once every session has been heard again, its blindness concerns nobody.
    concerned = any(c.contact == state_pb2.CONTACT_UNKNOWN for c in overview.contact_counts)
    blind = overview.HasField("blind_until") and concerned
    zones, servers = overview.zones, overview.unit_server_summaries
    return Glance(
        headline=_headline(overview),
        states=_states(overview.state_counts),
        contacts=_contacts(overview.contact_counts),
        attention=attention(overview, today),
        zones=tuple(
            group_row(zone, zone.zone, by="zone", today=today) for zone in zones[:MOST_ROWS]
        ),
        hidden_zones=max(0, len(zones) - MOST_ROWS),
        unit_servers=tuple(_unit_server(row, today) for row in servers[:MOST_ROWS]),
        hidden_unit_servers=max(0, len(servers) - MOST_ROWS),
        time=moment(overview.time, today=today),
        blind_until=moment(overview.blind_until, today=today) if blind else None,
        revision=overview.position.revision,
        replica=overview.replica,
        version=overview.version,
    )


def _headline(overview: overview_pb2.GetOverviewResponse) -> Headline:
    counts: dict[int, int] = {count.health: count.count for count in overview.health_counts}
    tallies = tuple(Tally(mark, counts.get(value, 0)) for value, mark in _worst_first())
    worst = next((value for value, _ in _worst_first() if counts.get(value)), None)
    total = overview.control_units
    if worst is None:
        nothing = _("No control units are declared")
        return Headline(vocabulary.ALL_GOOD, nothing, _("empty"), tallies, ())
    mark = vocabulary.health(worst)
    found = counts[worst]
    if worst == state_pb2.HEALTH_GOOD:
        sentence, title = _all_good(total), _("all good")
    else:
        sentence = _not_good(found, total, mark.word.lower())
        title = f"{found} {mark.word.lower()}"
    return Headline(mark, sentence, title, tallies, health_bar(overview.health_counts))


def _all_good(total: int) -> str:
    words = ngettext(
        "All %(total)s control unit are good", "All %(total)s control units are good", total
    )
    return words % {"total": grouped(total)}


def _not_good(found: int, total: int, verdict: str) -> str:
    words = ngettext(
        "%(found)s of %(total)s control units is %(verdict)s",
        "%(found)s of %(total)s control units are %(verdict)s",
        found,
    )
    return words % {"found": grouped(found), "total": grouped(total), "verdict": verdict}


def _worst_first() -> Iterable[tuple[int, Mark]]:
    return sorted(vocabulary.HEALTH.items(), reverse=True)


def _states(counts: Sequence[overview_pb2.StateCount]) -> tuple[Tally, ...]:
    # Every state has its place, also with zero: people find a number by where it stands.
    found: dict[int, int] = {count.state: count.count for count in counts}
    known = [*vocabulary.STATE, *(value for value in found if value not in vocabulary.STATE)]
    return tuple(Tally(vocabulary.state(value), found.get(value, 0)) for value in known)


def _contacts(counts: Sequence[overview_pb2.ContactCount]) -> tuple[ContactTally, ...]:
    found: dict[int, overview_pb2.ContactCount] = {count.contact: count for count in counts}
    known = [*vocabulary.CONTACT, *(value for value in found if value not in vocabulary.CONTACT)]
    return tuple(
        ContactTally(
            mark=vocabulary.contact(value),
            unit_servers=found[value].unit_servers if value in found else 0,
            control_units=found[value].control_units if value in found else 0,
        )
        for value in known
    )


@lru_cache(1_024)
def _running_and_others(counts: tuple[tuple[int, int], ...]) -> tuple[int, tuple[Tally, ...]]:
    """How many units run, and what the others do: of a thousand unit servers, few differ in it."""
    running = sum(count for state, count in counts if state == state_pb2.STATE_RUNNING)
    others = tuple(
        Tally(vocabulary.state(state), count)
        for state, count in counts
        if count and state != state_pb2.STATE_RUNNING
    )
    return running, others


def _unit_server(row: overview_pb2.UnitServerSummary, today: datetime) -> UnitServerRow:
    status, contact = row.status, row.status.contact
    is_in_touch = contact in _IN_TOUCH
    running, others = _running_and_others(
        tuple([(each.state, each.count) for each in row.state_counts])
    )
    span_word, span = "", None
    if status.HasField("end_time"):
        span_word, span = _("ended"), moment(status.end_time, today=today)
    elif status.HasField("start_time"):
        span_word, span = _("since"), moment(status.start_time, today=today)
    return UnitServerRow(
        id=id_of(status.unit_server),
        page=page_of(status.unit_server),
        mark=vocabulary.health(row.health),
        contact=vocabulary.contact(contact),
        out_of_contact=not is_in_touch,
        stale=not is_in_touch and bool(status.session),
        control_units=row.control_units,
        running=running,
        place=f"{status.host}, pid {status.pid}" if status.host else "",
        version=status.version,
        span_word=span_word,
        span=span,
        others=others,
        bar=health_bar(row.health_counts),
    )
