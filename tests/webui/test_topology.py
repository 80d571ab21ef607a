"""The facility as a picture: what stands where, and that it stays there."""

from collections.abc import Iterable

from mds.v1 import agent_pb2, control_unit_pb2, overview_pb2, state_pb2

from webui.names import id_of
from webui.rendering import environment
from webui.topology.pages import address
from webui.topology.picture import Picture, Wanted, cut, picture_of
from webui.topology.tree import hosts_of, units_by_server

AGENT = agent_pb2.Agent(name="agents/vldaq01", host="vldaq01")


def server(
    id: str, *, host: str = "", agent: str = "", bad: int = 0, units: int = 3
) -> overview_pb2.UnitServerSummary:
    good = overview_pb2.HealthCount(health=state_pb2.HEALTH_GOOD, count=units - bad)
    counts = [overview_pb2.HealthCount(health=state_pb2.HEALTH_BAD, count=bad)] if bad else []
    made = overview_pb2.UnitServerSummary(
        health=state_pb2.HEALTH_BAD if bad else state_pb2.HEALTH_GOOD,
        control_units=units,
        health_counts=[*counts, good],
        agent=agent,
    )
    made.status.unit_server, made.status.host = f"unit_servers/{id}", host
    return made


def unit(id: str, of: str) -> control_unit_pb2.ControlUnitStatus:
    return control_unit_pb2.ControlUnitStatus(
        control_unit=f"control_units/{id}",
        unit_server=f"unit_servers/{of}",
        health=state_pb2.HEALTH_GOOD,
    )


def drawn(
    servers: Iterable[overview_pb2.UnitServerSummary],
    units: Iterable[control_unit_pb2.ControlUnitStatus] = (),
    *,
    opened: frozenset[str] = frozenset(),
    all_servers: bool = True,
    most_rows: int = 50,
) -> Picture:
    statuses = list(units)
    of = {each.control_unit: id_of(each.unit_server) for each in statuses}
    wanted = Wanted(units_by_server(statuses, of), opened, address, all_servers, most_rows)
    return picture_of(hosts_of(servers, [AGENT]), wanted)


def places(picture: Picture) -> dict[str, tuple[int, int]]:
    boxes = {each.id: (each.x, each.y) for each in picture.boxes}
    return boxes | {each.id: (each.x, each.y) for each in picture.chips}


SERVERS = [
    server("B", host="vldaq02", bad=1),
    server("A", agent="agents/vldaq01"),
    server("C", host="vldaq02"),
]


def test_servers_stand_under_the_host_that_they_or_their_agents_run_on() -> None:
    hosts = hosts_of([*SERVERS, server("nowhere")], [AGENT])
    found = [
        (host.name, agent.id, each.status.unit_server)
        for host in hosts
        for agent in host.agents
        for each in agent.servers
    ]
    assert found == [
        ("vldaq01", "vldaq01", "unit_servers/A"),
        ("vldaq02", "", "unit_servers/B"),
        ("vldaq02", "", "unit_servers/C"),
        ("", "", "unit_servers/nowhere"),
    ]


def test_an_agent_stands_where_its_servers_run_or_where_it_is_declared() -> None:
    elsewhere = server("A", host="laptop", agent="agents/vldaq01")
    assert [host.name for host in hosts_of([elsewhere], [AGENT])] == ["laptop"]
    assert [host.name for host in hosts_of([], [AGENT])] == ["vldaq01"]


def test_each_shows_the_worst_of_what_is_in_it() -> None:
    boxes = {box.id: box for box in drawn(SERVERS).boxes}
    assert boxes["t:hosts/vldaq02"].mark.word == "Bad"
    assert boxes["t:hosts/vldaq02"].size == "1 of 6 units"
    assert boxes["t:hosts/vldaq01"].size == "1 server, 3 units"
    assert boxes["t:vldaq02/agents/"].mark.word == "Bad"
    assert boxes["t:hosts/vldaq01"].mark.word == "Good"


def test_the_same_facility_gives_the_same_picture_in_whatever_order_it_is_told() -> None:
    units = [unit(f"U{n}", "A") for n in range(5)]
    assert drawn(SERVERS, units) == drawn(SERVERS[::-1], units[::-1])


def test_a_new_unit_moves_nothing_while_its_line_has_room() -> None:
    before = places(drawn(SERVERS, [unit(f"U{n}", "A") for n in range(4)]))
    after = places(drawn(SERVERS, [unit(f"U{n}", "A") for n in range(5)]))
    assert {id: after[id] for id in before} == before


def test_a_new_server_moves_nothing_above_it() -> None:
    before = places(drawn(SERVERS))
    after = places(drawn([*SERVERS, server("B1", host="vldaq02")]))
    assert {id: after[id] for id in before if id != "t:unit_servers/C"} == {
        id: at for id, at in before.items() if id != "t:unit_servers/C"
    }


def test_nothing_is_drawn_over_another() -> None:
    picture = drawn(SERVERS, [unit(f"U{n}", "A") for n in range(40)])
    found = places(picture)
    assert len(set(found.values())) == len(found)
    assert max(y for _, y in found.values()) < picture.height


def test_a_large_facility_shows_hosts_until_one_is_opened() -> None:
    many = [server(f"S{n:04}", host=f"h{n % 40:02}") for n in range(1000)]
    closed = drawn(many, all_servers=False)
    assert not any(box.id.startswith("t:unit_servers/") for box in closed.boxes)
    opened = drawn(many, all_servers=False, opened=frozenset({"hosts/h07"}))
    assert sum(box.id.startswith("t:unit_servers/") for box in opened.boxes) == 25
    (host,) = (box for box in opened.boxes if box.id == "t:hosts/h07")
    assert (host.is_open, host.opens) == (True, "/topology")


def test_where_hosts_are_too_many_the_worst_are_drawn_in_their_order() -> None:
    many = [server(f"S{n}", host=f"h{n:02}", bad=int(n in (3, 17))) for n in range(30)]
    picture = drawn(many, most_rows=2)
    assert [box.name for box in picture.boxes if box.x == 0] == ["h03", "h17"]
    assert picture.hidden == 29


def test_every_word_has_a_glyph_and_names_are_never_markup() -> None:
    nasty = drawn([server('<script>alert("1")</script>', host="<b>")], [unit("<i>", "A")])
    template = environment().get_template("topology/picture.html")
    html = template.render(picture_of_all=nasty, again="/topology?fragment=picture")
    assert "<script" not in html
    assert "<b>" not in html
    assert html.count("<use ") == len(nasty.boxes) + len(nasty.chips)


def test_long_names_keep_their_ends() -> None:
    assert cut("DAFNE/PL/QUADRUPOLES/QUATM001", 12) == "…ES/QUATM001"
