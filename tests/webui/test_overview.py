"""What the overview says, from what a server answers."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds.v1 import overview_pb2, state_pb2

from tests.webui.messages import NOW, Server, Unit, overview, stamp
from webui import vocabulary
from webui.live.painter import Link, Painter
from webui.overview.attention import UnitLine, UnitServerLine
from webui.overview.bar import SMALLEST, WIDTH, health_bar
from webui.overview.glance import Glance, glance
from webui.overview.group import MOST_ROWS
from webui.rendering import environment
from webui.translation import grouped
from webui.vocabulary import Mark

PLAIN = [Unit(f"DAFNE/PL/U{n}", "PS") for n in range(14)]


def seen(servers: list[Server], units: list[Unit]) -> Glance:
    return glance(overview(servers, units))


def test_all_good_is_said_plainly() -> None:
    view = seen([Server("PS")], PLAIN)
    assert view.headline.sentence == "All 14 control units are good"
    assert view.headline.title == "all good"
    assert view.attention.lines == ()
    assert view.attention.total == 0


def test_an_empty_facility_does_not_claim_to_be_good() -> None:
    assert seen([], []).headline.sentence == "No control units are declared"


def test_the_headline_tells_the_worst() -> None:
    broken = Unit("DAFNE/PL/X", "PS", state_pb2.STATE_FATAL_ERROR, state_pb2.HEALTH_BAD)
    doubtful = Unit("DAFNE/PL/Y", "PS", health=state_pb2.HEALTH_WARNING)
    view = seen([Server("PS")], [*PLAIN, broken, doubtful])
    assert view.headline.sentence == "1 of 16 control units is bad"
    assert view.headline.title == "1 bad"


def test_every_state_and_contact_has_its_place_also_with_zero() -> None:
    view = seen([Server("PS")], PLAIN)
    counts = {tally.mark.word: tally.count for tally in view.states}
    assert counts.keys() == {mark.word for mark in vocabulary.STATE.values()}
    assert counts["Running"] == 14
    assert counts["Fatal error"] == 0
    contacts = {tally.mark.word: tally.control_units for tally in view.contacts}
    assert contacts == {"Alive": 14, "Suspect": 0, "Lost": 0, "Unknown": 0, "No session": 0}


def test_a_unit_in_error_has_a_line_with_its_own_words() -> None:
    broken = Unit(
        "DAFNE/PL/X",
        "PS",
        state_pb2.STATE_RECOVERABLE_ERROR,
        state_pb2.HEALTH_BAD,
        message="interlock open",
    )
    (line,) = seen([Server("PS")], [*PLAIN, broken]).attention.lines
    assert isinstance(line, UnitLine)
    assert (line.id, line.page) == ("DAFNE/PL/X", "/control_units/DAFNE/PL/X")
    assert (line.state.word, line.desired, line.why) == (
        "Recoverable error",
        "Running",
        "interlock open",
    )
    assert not line.stale


def test_a_lost_unit_server_speaks_for_all_its_units() -> None:
    lost = [Unit(f"LINAC/M{n}", "LOST", health=state_pb2.HEALTH_BAD) for n in range(64)]
    servers = [Server("PS"), Server("LOST", state_pb2.CONTACT_LOST, NOW - timedelta(minutes=4))]
    attention = seen(servers, PLAIN + lost).attention
    (line,) = attention.lines
    assert isinstance(line, UnitServerLine)
    assert (line.id, line.abnormal, line.control_units) == ("LOST", 64, 64)
    assert line.contact.word == "Lost"
    assert line.since is not None
    assert (attention.total, attention.hidden) == (64, 0)


def test_a_lost_unit_server_of_one_unit_is_told_by_that_unit() -> None:
    lost = Unit("LINAC/M0", "LOST", health=state_pb2.HEALTH_BAD)
    servers = [Server("LOST", state_pb2.CONTACT_LOST, NOW)]
    (line,) = seen(servers, [lost]).attention.lines
    assert isinstance(line, UnitLine)
    assert line.stale, "nobody knows whether it still runs"
    assert line.why == "its lease ran out without a word"


def test_a_lost_unit_server_without_units_is_told_too() -> None:
    answer = overview([Server("EMPTY", state_pb2.CONTACT_LOST, NOW)], [])
    answer.unit_server_summaries[0].health = state_pb2.HEALTH_BAD
    (line,) = glance(answer).attention.lines
    assert isinstance(line, UnitServerLine)
    assert (line.id, line.control_units) == ("EMPTY", 0)


def test_a_unit_in_error_keeps_its_line_when_its_server_is_in_doubt() -> None:
    units = [Unit(f"LINAC/M{n}", "DOUBT", health=state_pb2.HEALTH_WARNING) for n in range(5)]
    units[3].state, units[3].health = state_pb2.STATE_FATAL_ERROR, state_pb2.HEALTH_BAD
    attention = seen([Server("DOUBT", state_pb2.CONTACT_SUSPECT)], units).attention
    assert [line.id for line in attention.lines] == ["DOUBT", "LINAC/M3"]
    assert (attention.total, attention.hidden) == (5, 0)


def test_units_on_their_way_need_nobody_and_are_counted() -> None:
    moving = [
        Unit(f"L/M{n}", "PS", state_pb2.STATE_LOADED, state_pb2.HEALTH_CHANGING) for n in range(3)
    ]
    attention = seen([Server("PS")], PLAIN + moving).attention
    assert (attention.lines, attention.changing, attention.total) == ((), 3, 0)


def test_what_does_not_fit_is_counted() -> None:
    broken = [Unit(f"L/M{n}", "PS", health=state_pb2.HEALTH_BAD) for n in range(7)]
    answer = overview([Server("PS")], broken)
    del answer.abnormal_units[5:]
    attention = glance(answer).attention
    assert (len(attention.lines), attention.total, attention.hidden) == (5, 7, 2)


def test_the_worst_comes_first() -> None:
    units = [
        Unit("A/1", "PS", health=state_pb2.HEALTH_WARNING),
        Unit("B/1", "PS", health=state_pb2.HEALTH_BAD),
        Unit("C/1", "PS", health=state_pb2.HEALTH_UNKNOWN),
    ]
    view = seen([Server("PS")], units)
    assert [line.id for line in view.attention.lines] == ["B/1", "A/1", "C/1"]
    assert [row.name for row in view.zones] == ["B", "A", "C"]


def test_a_zone_says_why_and_since_when_and_what_is_left_alone() -> None:
    answer = overview([Server("PS")], [Unit("A/1", "PS"), Unit("A/2", "PS")])
    answer.zones[0].in_maintenance = 1
    down = answer.zones[0].causes.add(why="LOST", count=2, health=state_pb2.HEALTH_BAD)
    down.since_time.FromDatetime(NOW)
    answer.zones[0].causes.add(why="in FATAL_ERROR", count=1, health=state_pb2.HEALTH_BAD)
    for why in ("not yet RUNNING", "in NEW_STATE", "stuck"):
        answer.zones[0].causes.add(why=why, count=1, health=state_pb2.HEALTH_WARNING)
    painting = Painter(environment()).paint(glance(answer), Link("live", "here"))
    text = re.sub(r"<[^>]*>", "", painting.pieces["zone:A"])
    since = f"{NOW.astimezone():%H:%M:%S}"
    assert f"2 of 2 lost since {since}, 1 in fatal error, 1 not yet running, " in text
    assert ", 1 in NEW_STATE, 1 stuck, 1 in maintenance" in text, "what nobody here knows stays"
    assert "/control_units?q=zone%3D%22A%22" in painting.pieces["zone:A"]


def test_a_large_facility_shows_the_worst_and_says_how_many_more_there_are() -> None:
    servers = [Server(f"PS/{n:03}") for n in range(MOST_ROWS + 7)]
    units = [Unit(f"Z{n:03}/U", f"PS/{n:03}") for n in range(MOST_ROWS + 7)]
    answer = overview(servers, units)
    view = glance(answer)
    assert [row.id for row in view.unit_servers] == [each.id for each in servers[:MOST_ROWS]]
    assert [row.name for row in view.zones] == [unit.zone for unit in units[:MOST_ROWS]]
    painting = Painter(environment()).paint(view, Link("live", "here"))
    assert len(painting.lists["servers"]) == len(painting.lists["zones"]) == MOST_ROWS
    told = "7 more, none of them worse."
    assert f'{told} <a href="/unit_servers">All unit servers</a>' in painting.pieces["servers-note"]
    assert told in painting.pieces["zones-note"]


def test_where_all_rows_are_shown_nothing_is_said_of_more() -> None:
    painting = Painter(environment()).paint(seen([Server("PS")], PLAIN), Link("live", "here"))
    assert painting.pieces["servers-note"] == '<p id="servers-note" class="note"></p>'
    assert painting.pieces["zones-note"] == '<p id="zones-note" class="note"></p>'


def test_what_units_of_a_lost_server_are_is_told_as_the_past() -> None:
    lost = [Unit(f"L/M{n}", "LOST", health=state_pb2.HEALTH_BAD) for n in range(2)]
    view = seen([Server("LOST", state_pb2.CONTACT_LOST, NOW), Server("PS")], [*PLAIN, *lost])
    stale = {row.id: row.stale for row in view.unit_servers}
    assert stale == {"LOST": True, "PS": False}


def test_a_unit_server_that_never_registered_says_so() -> None:
    waiting = [Unit(f"L/M{n}", "NEW", health=state_pb2.HEALTH_WARNING) for n in range(2)]
    (line,) = seen([Server("NEW", state_pb2.CONTACT_NONE)], waiting).attention.lines
    assert line.why == "no process has registered for it"


def test_a_blind_server_says_until_when() -> None:
    answer = overview([Server("PS", state_pb2.CONTACT_UNKNOWN)], PLAIN)
    assert glance(answer).blind_until is None
    answer.blind_until.CopyFrom(stamp(NOW + timedelta(seconds=20)))
    blind = glance(answer).blind_until
    assert blind is not None
    assert blind.iso == "2026-03-14T07:45:32.000Z"


def test_a_blindness_that_concerns_nobody_is_not_told() -> None:
    answer = overview([Server("PS")], PLAIN)
    answer.blind_until.CopyFrom(stamp(NOW + timedelta(seconds=20)))
    assert glance(answer).blind_until is None


@pytest.mark.parametrize("mark_of", [vocabulary.health, vocabulary.state, vocabulary.contact])
def test_a_value_of_a_newer_server_is_shown_as_unknown(mark_of: Callable[[int], Mark]) -> None:
    mark = mark_of(77)
    assert (mark.word, mark.glyph) == ("Unknown (77)", "unknown")


def test_each_verdict_has_a_glyph_and_a_word_of_its_own() -> None:
    marks = list(vocabulary.HEALTH.values())
    assert len({mark.glyph for mark in marks}) == len(marks)
    assert len({mark.word for mark in marks}) == len(marks)
    states = list(vocabulary.STATE.values())
    assert len({mark.glyph for mark in states}) == len(states)


COUNTS = st.lists(st.integers(0, 10**6), min_size=5, max_size=5)


@given(COUNTS)
def test_a_bar_is_whole_and_hides_nothing(counts: list[int]) -> None:
    healths = [
        overview_pb2.HealthCount(health=health, count=count)
        for health, count in zip(state_pb2.Health.values()[1:], counts, strict=True)
    ]
    bar = health_bar(healths)
    assert len(bar) == sum(count > 0 for count in counts)
    assert all(segment.width >= SMALLEST for segment in bar)
    assert sum(segment.width for segment in bar) == (WIDTH if any(counts) else 0)
    starts = [segment.start for segment in bar]
    assert starts == [sum(s.width for s in bar[:n]) for n in range(len(bar))]


def test_large_counts_are_grouped() -> None:
    assert grouped(9999) == "9999"
    assert re.fullmatch(r"100\s000", grouped(100_000))
