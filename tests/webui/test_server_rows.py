"""Rows of unit servers drawn by looks: just what their template draws of each."""

from dataclasses import replace
from itertools import product

from tests.webui.messages import Server, Unit, overview
from webui.clock import Moment
from webui.overview.glance import UnitServerRow, glance
from webui.overview.server_rows import ServerRows
from webui.rendering import environment

NASTY = "100%(id)s <b>\"'&"


def rows() -> list[UnitServerRow]:
    """With and without all that a row may lack, and with names that mean something elsewhere."""
    whole = glance(overview([Server("PS/0")], [Unit("A/B", "PS/0")])).unit_servers[0]
    found = []
    for id, place, version, is_spanned in product(
        ("PS/0", NASTY), ("", f"{NASTY}, pid 7"), ("", NASTY), (False, True)
    ):
        span = Moment("07:41:03", "2026-11-22T07:41:03.000Z") if is_spanned else None
        word = "since" if is_spanned else ""
        found.append(replace(whole, id=id, place=place, version=version, span=span, span_word=word))
    lost = [replace(row, out_of_contact=True, stale=True, running=3) for row in found]
    return found + lost


def test_a_row_is_what_its_template_draws() -> None:
    macro = vars(environment().get_template("overview/pieces.html").module)["unit_server"]
    drawn = ServerRows(macro)
    for row in rows() * 2:
        key = f"server:{row.id}"
        assert drawn(key, row) == macro(key, row)


def test_a_look_is_drawn_once() -> None:
    macro = vars(environment().get_template("overview/pieces.html").module)["unit_server"]
    calls = []

    def counted(key: str, row: UnitServerRow) -> str:
        calls.append(key)
        return str(macro(key, row))

    drawn = ServerRows(counted)
    (row,) = glance(overview([Server("PS/0")], [Unit("A/B", "PS/0")])).unit_servers
    for number in range(50):
        assert f"PS/{number}</span>" in drawn(
            f"server:PS/{number}", replace(row, id=f"PS/{number}")
        )
    assert len(calls) == 1
