"""A look at a facility as the lines of a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any

import click
from mds.v1.overview_pb2 import GetOverviewResponse
from mds.v1.state_pb2 import Contact

from control_units.cli.looking.shapes import bare, contact_word, health_word, state_word
from control_units.cli.operations.words import left_text, phase_word, verb_word
from control_units.cli.output.tables import COLOUR_OF, cut, table_lines
from control_units.cli.top.sight import SORTS, Sight

Rows = list[tuple[str, ...]]

_OUT = (Contact.CONTACT_LOST, Contact.CONTACT_SUSPECT, Contact.CONTACT_UNKNOWN)
_BAR = 10
_LEAST = 3
"""Lines of a section: an empty one, its title, a row."""
_HELP = "q end   s sort   / filter   Esc no filter   h help"
_LONG_HELP = (
    "q, Ctrl-C  end",
    "s          sort zones and unit servers: worst first, by name, by size",
    "/          only what has a text in its name; Enter keeps it, Esc gives up",
    "Esc        show all again",
    "h          this, or not",
    "",
    "Sums are of the whole facility, whatever the filter. Operations are those that have not ended.",
)


def lines_of(sight: Sight, width: int, height: int) -> list[str]:
    """As many lines as there are, each no wider than the terminal; the last says the keys."""
    lines = list(_head(sight, width))
    room = height - len(lines) - 1
    if sight.has_help:
        lines += _LONG_HELP[:room]
    elif sight.overview is not None:
        lines += _sections(sight, sight.overview, width, room)
    lines = lines[: height - 1]
    return [*lines, *([""] * (height - 1 - len(lines))), _foot(sight, width)]


def _head(sight: Sight, width: int) -> Iterator[str]:
    found = sight.overview
    if found is None:
        yield click.style(cut(f"mds top  {sight.address}", width), bold=True)
        yield cut(sight.failure or "Asking …", width)
        return
    at = found.time.ToDatetime(UTC).astimezone().strftime("%H:%M:%S")
    where = f"{found.replica}  {found.version}  revision {found.position.revision}  {at}"
    yield click.style(
        cut(f"mds top  {where}  {sight.rate.per_second():.1f} events/s", width), bold=True
    )
    if sight.failure:
        yield click.style(cut(f"Not current: {sight.failure}", width), fg="red")
    if found.HasField("blind_until"):
        yield click.style(
            cut("Its database was away: contact is not known yet.", width), fg="yellow"
        )
    yield _sums("units", found.control_units, _states(found.state_counts), width)
    health = [
        (health_word(each.health) or "no verdict", each.count) for each in found.health_counts
    ]
    yield _sums("health", "", health, width)
    contacts = [(contact_word(each.contact), each.unit_servers) for each in found.contact_counts]
    yield _sums("servers", found.unit_servers, contacts, width)


def _states(counts: Iterable[Any]) -> list[tuple[str, int]]:
    return [(state_word(each.state) or "never heard of", each.count) for each in counts]


def _sums(title: str, total: object, counts: Iterable[tuple[str, int]], width: int) -> str:
    text, left = f"{title:<8}{total:>6}  ", width - 16
    for word, count in counts:
        told = f"{word or 'NONE'} {count}"
        if count and left > len(told):
            text += click.style(told, fg=COLOUR_OF.get(word)) + "  "
            left -= len(told) + 2
    return text.rstrip()


def _sections(sight: Sight, found: GetOverviewResponse, width: int, room: int) -> Iterator[str]:
    """What needs people first: each gets what the ones before have left, and a fair share."""
    sections = (
        ("operations", *_operations(sight)),
        ("unit servers out of contact", *_servers(sight, found)),
        ("zones", *_zones(sight, found)),
        ("abnormal units", *_abnormal(sight, found)),
    )
    shown = [section for section in sections if section[2]]
    for place, (title, headers, rows) in enumerate(shown):
        share = max(room // (len(shown) - place), _LEAST)
        if room < _LEAST:
            return
        kept = rows[: share - 2]
        more = f"  {len(kept)} of {len(rows)}" if len(kept) < len(rows) else ""
        yield ""
        yield click.style(cut(f"{title}{more}", width), bold=True, underline=True)
        yield from table_lines(headers, kept, width, elastic=("why", "message"), has_headers=False)
        room -= len(kept) + 2


def _operations(sight: Sight) -> tuple[Sequence[str], Rows]:
    rows: Rows = [
        (
            bare(each.name),
            phase_word(each),
            verb_word(each.verb),
            _bar(each.counts.completed, each.counts.steps),
            f"{each.counts.failed} failed" if each.counts.failed else "",
            left_text(each),
            each.reason,
        )
        for each in sight.operations
        if sight.passes(each.name, each.author, each.reason)
    ]
    return ("id", "phase", "order", "there", "failed", "left", "why"), rows


def _bar(done: int, total: int) -> str:
    filled = round(_BAR * done / total) if total else 0
    return f"{'█' * filled}{'░' * (_BAR - filled)} {done}/{total}"


def _servers(sight: Sight, found: GetOverviewResponse) -> tuple[Sequence[str], Rows]:
    out = [each for each in found.unit_server_summaries if each.status.contact in _OUT]
    rows: Rows = [
        (
            bare(each.status.unit_server),
            contact_word(each.status.contact),
            f"{each.control_units} units",
            each.status.host,
        )
        for each in _sorted(sight, out, lambda each: each.status.unit_server)
        if sight.passes(each.status.unit_server, each.status.host)
    ]
    return ("id", "contact", "units", "host"), rows


def _zones(sight: Sight, found: GetOverviewResponse) -> tuple[Sequence[str], Rows]:
    rows: Rows = [
        (
            each.zone or "(no zone)",
            health_word(each.health),
            f"{each.control_units} units",
            ", ".join(f"{count} {word}" for word, count in _states(each.state_counts)),
            each.why,
        )
        for each in _sorted(sight, found.zones, lambda each: each.zone)
        if sight.passes(each.zone)
    ]
    return ("zone", "health", "units", "states", "why"), rows


def _sorted(sight: Sight, things: Iterable[Any], name: Any) -> list[Any]:
    found = list(things)
    if SORTS[sight.sort] == "name":
        found.sort(key=name)
    elif SORTS[sight.sort] == "size":
        found.sort(key=lambda each: (-each.control_units, name(each)))
    return found


def _abnormal(sight: Sight, found: GetOverviewResponse) -> tuple[Sequence[str], Rows]:
    rows: Rows = [
        (
            bare(each.control_unit),
            health_word(each.health),
            state_word(each.state),
            f"→ {state_word(each.desired_state)}" if each.desired_state else "",
            contact_word(each.contact),
            each.message,
        )
        for each in found.abnormal_units
        if sight.passes(each.control_unit, each.unit_server, each.message)
    ]
    return ("unit", "health", "state", "desired", "contact", "message"), rows


def _foot(sight: Sight, width: int) -> str:
    if sight.typing is not None:
        return cut(f"only what has: {sight.typing}▏", width)
    kept = f"filter: {sight.filter}   " if sight.filter else ""
    return click.style(cut(f"{kept}{SORTS[sight.sort]}   {_HELP}", width), dim=True)
