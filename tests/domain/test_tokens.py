"""Tokens and roles."""

import hmac
from dataclasses import replace

import pytest

from metadata_server.domain.access.role import Access, Role
from metadata_server.domain.access.token import (
    Token,
    TokenState,
    hash_of,
    id_in,
    id_of,
    text_of,
    token_faults,
)
from metadata_server.domain.refused import Refused

TEXT = text_of("0123456789ab", "f" * 64)
TOKEN = Token(id="0123456789ab", hash=hash_of(TEXT), principal="anna", role=Role.VIEWER)


def test_each_role_covers_itself_and_those_before_it() -> None:
    covered = [[each for each in Role if role.covers(each)] for role in Role]
    assert covered == [list(Role)[: place + 1] for place in range(len(Role))]


def test_a_token_for_programs_does_only_where_programs_are_wanted() -> None:
    wanted = Access(Role.OPERATOR, programs=True)
    assert wanted.permits(Role.VIEWER, program=True)
    assert not wanted.permits(Role.VIEWER, program=False)
    assert not Access(Role.OPERATOR).permits(Role.VIEWER, program=True)


def test_a_token_is_found_by_the_id_in_it() -> None:
    assert id_in(TEXT) == "0123456789ab"
    for wrong in ("", "mds_", TEXT[:-30], f"{TEXT}\n", TEXT.upper(), f" {TEXT}", f"{TEXT}/x"):
        assert id_in(wrong) == "", wrong


def test_texts_are_compared_in_a_time_that_does_not_tell_how_near_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the one function that is made for it; the rest of the comparison is of hashes."""
    asked = []
    real = hmac.compare_digest

    def compared(one: str, other: str) -> bool:
        asked.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compared)
    assert TOKEN.is_text(TEXT)
    assert not TOKEN.is_text(TEXT[:-1] + "0")
    assert [one for one, _ in asked] == [TOKEN.hash] * 2


def test_a_token_ends_when_its_time_is_over_or_it_is_revoked() -> None:
    ending = replace(TOKEN, expire_time_us=100)
    assert [ending.state(now) for now in (99, 100)] == [TokenState.ACTIVE, TokenState.EXPIRED]
    assert replace(ending, revoke_time_us=50).state(10) is TokenState.REVOKED
    assert TOKEN.state(10**18) is TokenState.ACTIVE


def test_what_cannot_be_a_token_is_told_field_by_field_and_without_secrets() -> None:
    assert not list(token_faults(TOKEN, 0))
    wrong = Token(id="x", hash=TEXT, principal=" ", role=Role.VIEWER, expire_time_us=1)
    faults = list(token_faults(wrong, 2))
    assert [each.field for each in faults] == ["name", "principal", "sha256", "expire_time"]
    assert not any(TEXT in each.message for each in faults)


def test_neither_the_object_nor_a_refusal_shows_a_secret() -> None:
    assert TOKEN.hash not in repr(TOKEN)
    with pytest.raises(Refused) as refused:
        id_of(f"tokens/{TEXT}")
    assert "ffff" not in str(refused.value)
