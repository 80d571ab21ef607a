"""From views to HTML: escaped, told by glyph and word, and drawn only when it differs."""

import re
from html.parser import HTMLParser

import pytest
from mds.v1 import state_pb2

from tests.webui.messages import Server, Unit, overview
from webui.live.painter import Link, Painter
from webui.overview.glance import Glance, glance
from webui.rendering import environment

LIVE = Link("live", "127.0.0.1:7400")
NASTY = "<script>alert(1)</script>&\"'"
LISTS = {"attention", "zones", "servers", "operations", "changes", "replicas", "nodes"}


@pytest.fixture
def painter() -> Painter:
    return Painter(environment())


def facility(message: str = "", *, broken: int = 1) -> Glance:
    units = [Unit(f"DAFNE/PL/U{n}", "PS/0") for n in range(8)]
    for unit in units[:broken]:
        unit.state, unit.health = state_pb2.STATE_FATAL_ERROR, state_pb2.HEALTH_BAD
        unit.message = message
    return glance(overview([Server("PS/0"), Server("CAM")], units))


class Marks(HTMLParser):
    """Collects each mark: its glyph, and the text beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.glyphs = 0
        self.marks: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "use":
            self.glyphs += 1
        if tag == "span" and "mark" in (dict(attrs).get("class") or "").split():
            self._inside = 1
            self.marks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._inside = 0

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.marks[-1] += data.strip()


def test_text_from_the_facility_is_never_markup(painter: Painter) -> None:
    units = [Unit(f"Z{NASTY}/U", f"S{NASTY}", health=state_pb2.HEALTH_BAD, message=NASTY)]
    answer = overview([Server(f"S{NASTY}")], units)
    answer.zones[0].causes[0].why = NASTY
    answer.replica = answer.version = NASTY
    link = Link("stale", NASTY, reason=NASTY)
    html = "".join(painter.paint(glance(answer), link).pieces.values())
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"""="[^"]*<script""", html)


def test_each_glyph_stands_beside_its_word(painter: Painter) -> None:
    painting = painter.paint(facility("interlock"), LIVE)
    marks = Marks()
    marks.feed("".join(html for key, html in painting.pieces.items() if key != "headline"))
    assert len(marks.marks) == marks.glyphs > 15
    assert all(marks.marks), "a glyph without a word"


def test_no_style_and_no_script_stands_in_a_piece(painter: Painter) -> None:
    html = "".join(painter.paint(facility("x"), LIVE).pieces.values())
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)


def test_each_piece_is_one_element_with_its_own_id(painter: Painter) -> None:
    painting = painter.paint(facility("x"), LIVE)
    for key, html in painting.pieces.items():
        assert re.match(rf'<\w+ id="{re.escape(key)}"', html), (key, html[:80])
    assert set(painting.lists) == LISTS
    for ids in painting.lists.values():
        assert set(ids) <= painting.pieces.keys()


def test_what_is_equal_is_not_drawn_again(painter: Painter) -> None:
    before = painter.paint(facility("x"), LIVE).pieces
    after = painter.paint(facility("y"), LIVE).pieces
    changed = {key for key in after if after[key] is not before[key]}
    assert "attention:unit:DAFNE/PL/U0" in changed
    assert not any(key.startswith(("server:", "zone:")) for key in changed)


def test_a_lost_link_says_as_of_when_and_claims_nothing(painter: Painter) -> None:
    view = facility(broken=0)
    live = painter.paint(view, LIVE).pieces
    assert "All 8 control units are good" in live["headline"]
    assert "banner stale" not in live["banner"]
    stale = painter.paint(view, Link("stale", "a:1", view.time, "It cannot be reached.")).pieces
    assert "No word from the metadata server since" in stale["banner"]
    assert view.time.text in stale["banner"]
    assert "It cannot be reached." in stale["banner"]
    assert re.search(r"<h1>.*Unknown\. .*As of", stale["headline"])
    assert 'data-title="unknown"' in stale["headline"]


def test_before_the_first_answer_everything_is_unknown(painter: Painter) -> None:
    painting = painter.paint(None, Link("waiting", "a:1"))
    assert "No answer yet from the metadata server" in painting.pieces["banner"]
    assert "Unknown" in painting.pieces["headline"]
    assert painting.lists == dict.fromkeys(LISTS, ())
    assert not re.search(r">\d+<", "".join(painting.pieces.values())), "a count nobody gave"
