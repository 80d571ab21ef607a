"""Where everything stands in the picture. The same facility always gives the same picture."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from webui import vocabulary
from webui.names import id_of, page_of
from webui.topology.tree import Agent, Host, Server, Status, Tally, abnormal_of, tally_of
from webui.translation import _, ngettext
from webui.vocabulary import Mark

HOST_X, AGENT_X, SERVER_X, UNIT_X, WIDTH = 0, 225, 450, 725, 1280
BOX_WIDTHS = {HOST_X: 200, AGENT_X: 200, SERVER_X: 250}
BOX, GAP = 44, 10
CHIP_WIDTH, CHIP, CHIPS = 180, 24, 3
# Characters that fit, of a typewriter's width.
FITS = {HOST_X: 25, AGENT_X: 25, SERVER_X: 28, UNIT_X: 20}
MOST_UNITS = 300
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True)
class Box:
    """A host, an agent or a unit server.

    Attributes:
        full: its whole name, and how it is, in words.
        page: where it leads.
        opens: address that shows, or hides, what is in it; empty: there is nothing to open.
    """

    id: str
    x: int
    y: int
    width: int
    name: str
    full: str
    mark: Mark
    size: str
    page: str
    opens: str = ""
    is_open: bool = False

    @property
    def element(self) -> str:
        return element_of(self.id)


@dataclass(frozen=True, slots=True)
class Chip:
    """A control unit."""

    id: str
    x: int
    y: int
    name: str
    full: str
    mark: Mark
    page: str

    @property
    def element(self) -> str:
        return element_of(self.id)


@dataclass(slots=True)
class Picture:
    """All of it.

    Attributes:
        lines: paths from each to what it holds.
        hidden: hosts, or unit servers of a host, that are not drawn.
    """

    width: int = WIDTH
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to draw.

    Attributes:
        units: of the unit servers whose units are shown, by id.
        opened: names of hosts (`hosts/{name}`) and unit servers that somebody opened.
        address: the page with other names opened.
        all_servers: whether unit servers are shown of hosts that are not opened, too.
        most_rows: no more unit servers of one host, and no more hosts, are drawn.
        width: of the whole.
    """

    units: Mapping[str, Sequence[Status]]
    opened: frozenset[str]
    address: Callable[[frozenset[str]], str]
    all_servers: bool
    most_rows: int
    width: int = WIDTH

    def toggled(self, name: str) -> str:
        return self.address(self.opened ^ {name})


def picture_of(hosts: Sequence[Host], wanted: Wanted) -> Picture:
    picture = Picture(width=wanted.width)
    y = 0
    shown = most_telling(hosts, wanted.most_rows)
    picture.hidden = len(hosts) - len(shown)
    for host in shown:
        name = f"hosts/{host.name}"
        opens_all = wanted.all_servers or name in wanted.opened
        top, agents_end = y, y
        tally = tally_of(host.servers)
        picture.boxes.append(
            Box(
                id=f"t:{name}",
                x=HOST_X,
                y=top,
                width=BOX_WIDTHS[HOST_X],
                name=cut(host.name or _("(no host)"), FITS[HOST_X]),
                full=host.name or _("(no host)"),
                mark=vocabulary.health(tally.health),
                size=size_of(tally),
                page="",
                opens="" if wanted.all_servers else wanted.toggled(name),
                is_open=opens_all,
            )
        )
        for agent in host.agents:
            picture.lines.append(elbow(HOST_X + BOX_WIDTHS[HOST_X], top, AGENT_X, y))
            y = draw_agent(picture, host, agent, wanted, y=y, open_=opens_all)
        y = max(y, agents_end + BOX + GAP) + GAP
    picture.height = max(y - GAP, BOX)
    return picture


def most_telling(hosts: Sequence[Host], most: int) -> Sequence[Host]:
    """All; where they are too many, those with the worst below, in the order of names."""
    if len(hosts) <= most:
        return hosts
    worst = sorted(hosts, key=lambda host: -tally_of(host.servers).health)[:most]
    chosen = {host.name for host in worst}
    return [host for host in hosts if host.name in chosen]


def draw_agent(
    picture: Picture, host: Host, agent: Agent, wanted: Wanted, *, y: int, open_: bool
) -> int:
    """Draws an agent and what it launches; where the next may stand."""
    tally, top = tally_of(agent.servers), y
    name = agent.id or _("(no agent)")
    picture.boxes.append(
        Box(
            id=f"t:{host.name}/agents/{agent.id}",
            x=AGENT_X,
            y=top,
            width=BOX_WIDTHS[AGENT_X],
            name=cut(name, FITS[AGENT_X]),
            full=name,
            mark=vocabulary.health(tally.health),
            size=size_of(tally),
            page=page_of(f"agents/{agent.id}") if agent.id else "",
        )
    )
    if not open_:
        return y + BOX + GAP
    for server in agent.servers[: wanted.most_rows]:
        picture.lines.append(elbow(AGENT_X + BOX_WIDTHS[AGENT_X], top, SERVER_X, y))
        y = draw_server(picture, server, wanted, y=y)
    picture.hidden += max(0, len(agent.servers) - wanted.most_rows)
    return max(y, top + BOX + GAP)


def draw_server(picture: Picture, server: Server, wanted: Wanted, *, y: int) -> int:
    name = server.status.unit_server
    id = id_of(name)
    units = wanted.units.get(id, ())
    mark = vocabulary.health(server.health)
    contact = vocabulary.contact(server.status.contact)
    can_open = server.control_units and wanted.width == WIDTH
    picture.boxes.append(
        Box(
            id=f"t:{name}",
            x=SERVER_X,
            y=y,
            width=BOX_WIDTHS[SERVER_X],
            name=cut(id, FITS[SERVER_X]),
            full=f"{id}. {_('Contact')}: {_(contact.word)}",
            mark=mark,
            size=part_of(abnormal_of(server), server.control_units),
            page=page_of(name),
            opens=wanted.toggled(name) if can_open else "",
            is_open=bool(units),
        )
    )
    for number, unit in enumerate(units[:MOST_UNITS]):
        picture.chips.append(chip_of(unit, number, y=y))
    picture.hidden += max(0, len(units) - MOST_UNITS)
    if not units:
        return y + BOX + GAP
    picture.lines.append(elbow(SERVER_X + BOX_WIDTHS[SERVER_X], y, UNIT_X, y))
    rows = -(-min(len(units), MOST_UNITS) // CHIPS)
    return y + max(BOX, rows * CHIP) + GAP


def chip_of(unit: Status, number: int, *, y: int) -> Chip:
    row, column = divmod(number, CHIPS)
    id = id_of(unit.control_unit)
    mark, state = vocabulary.health(unit.health), vocabulary.state(unit.state)
    words = f"{id}. {_(mark.word)}, {_(state.word)}"
    return Chip(
        id=f"t:{unit.control_unit}",
        x=UNIT_X + column * (CHIP_WIDTH + 6),
        y=y + row * CHIP,
        name=cut(id.rpartition("/")[2], FITS[UNIT_X]),
        full=f"{words}. {unit.message}" if unit.message else words,
        mark=mark,
        page=page_of(unit.control_unit),
    )


def size_of(tally: Tally) -> str:
    """In words: units of which some are not as they should be, or all there is."""
    if tally.abnormal:
        return part_of(tally.abnormal, tally.units)
    if not tally.servers:
        return _("no unit servers")
    servers = ngettext("%(n)s server", "%(n)s servers", tally.servers) % {"n": tally.servers}
    return f"{servers}, {part_of(0, tally.units)}"


def part_of(abnormal: int, units: int) -> str:
    if abnormal:
        return _("%(abnormal)s of %(units)s units") % {"abnormal": abnormal, "units": units}
    return ngettext("%(n)s unit", "%(n)s units", units) % {"n": units}


def element_of(id: str) -> str:
    """An id as SVG takes them: what no XML name may have is written as its number."""
    return _NOT_PLAIN.sub(lambda found: f"_{ord(found[0]):x}_", id)


def elbow(from_x: int, from_y: int, to_x: int, to_y: int) -> str:
    """A line from the right edge of one box to the left edge of another."""
    middle = (from_x + to_x) // 2
    begin, end = from_y + BOX // 2, to_y + BOX // 2
    return f"M{from_x} {begin}H{middle}V{end}H{to_x}"


def cut(text: str, fits: int) -> str:
    """The end of a name tells more than its beginning."""
    return text if len(text) <= fits else f"…{text[1 - fits :]}"
