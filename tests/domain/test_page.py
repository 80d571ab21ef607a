"""Page tokens: opaque, of one list, and refused when they are garbage."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.change import Position
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.page import PageStart, Selection, page_size, start_of, token_of
from metadata_server.domain.refused import Refused

UNITS = Selection(kind=Kind.CONTROL_UNIT)
START = PageStart(Position("a-store", 3, 1207), "DAFNE/PL/QSK/QSKPL106")


def test_a_token_says_where_its_page_begins() -> None:
    assert start_of(token_of(UNITS, START), UNITS) == START


@pytest.mark.parametrize(
    "other",
    [
        Selection(kind=Kind.UNIT_SERVER),
        replace(UNITS, id_prefix="DAFNE"),
        replace(UNITS, zone="DAFNE"),
        replace(UNITS, ids=("DAFNE",)),
        replace(UNITS, state=State.RUNNING),
        replace(UNITS, unit_server="DAFNE"),
    ],
)
def test_a_token_is_of_one_list_only(other: Selection) -> None:
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        start_of(token_of(UNITS, START), other)


def token_with(**changed: object) -> str:
    padded = token_of(UNITS, START) + "=="
    content = json.loads(base64.urlsafe_b64decode(padded)) | changed
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "é",
        "????",
        base64.urlsafe_b64encode(b"[1, 2]").decode(),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[" * 2_200).decode(),
        "A" * 1_000_000,
        token_with(revision="1"),
        token_with(revision=-1),
        token_with(epoch=True),
        token_with(revision=2**63),
        token_with(value=-(2**63), now=5),
        token_with(value="\ud800", now=5),
        token_with(value=0.5, now=5),
        token_with(store=None),
        token_with(after="no such id"),
        token_with(after=["x"]),
    ],
)
def test_garbage_is_no_token(token: str) -> None:
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        start_of(token, UNITS)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_tokens(text: str) -> None:
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        start_of(text, UNITS)


@pytest.mark.parametrize(
    ("requested", "given"), [(0, 100), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)]
)
def test_a_page_has_a_size_that_goes(requested: int, given: int) -> None:
    assert page_size(requested) == given


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(Refused, match="page_size"):
        page_size(-1)
