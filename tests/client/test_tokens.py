"""Where a client has its token from."""

import hashlib
import os
import re
from pathlib import Path

import pytest

from control_units.client import BadToken, Client
from control_units.client.tokens import ShownToken, a_new_token


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MDS_TOKEN", raising=False)
    monkeypatch.delenv("MDS_TOKEN_FILE", raising=False)


def authorization(client: Client) -> str:
    return dict(client.caller.metadata("")).get("authorization", "")


def test_what_is_given_goes_before_the_environment_and_that_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert authorization(Client("a:1")) == ""
    file = tmp_path / "token"
    file.write_text("of-the-file\n")
    monkeypatch.setenv("MDS_TOKEN_FILE", str(file))
    assert authorization(Client("a:1")) == "Bearer of-the-file"
    monkeypatch.setenv("MDS_TOKEN", "of-the-environment")
    assert authorization(Client("a:1")) == "Bearer of-the-environment"
    assert authorization(Client("a:1", token="given")) == "Bearer given"


def test_a_file_that_changes_is_read_again_and_one_that_goes_is_not_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    monkeypatch.setenv("MDS_TOKEN_FILE", str(file))
    client = Client("a:1")
    assert authorization(client) == "Bearer first"
    file.write_text("second")
    os.utime(file, ns=(1, 1))
    assert authorization(client) == "Bearer second"
    file.unlink()
    assert authorization(client) == "Bearer second"


@pytest.mark.parametrize("said", ["two words", "ünlesbar", "a\nb"])
def test_what_cannot_be_sent_is_refused_without_being_shown(said: str) -> None:
    with pytest.raises(BadToken) as refused:
        Client("a:1", token=said)
    assert said not in str(refused.value)


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MDS_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(BadToken, match="No such file"):
        Client("a:1")


def test_one_client_serves_many_people_over_the_same_connections() -> None:
    client = Client("a:1", token="first", principal="page")
    _ = client.control_units
    other = client.with_token("second")
    assert (authorization(client), authorization(other)) == ("Bearer first", "Bearer second")
    assert other.control_units is not client.control_units
    assert other.caller.channels is client.caller.channels


def test_each_call_shows_the_token_of_whoever_it_is_made_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MDS_TOKEN", "of-the-program")
    said = ["first", "second", ""]
    client = Client("a:1").with_token_of_each(lambda: said.pop(0))
    assert [authorization(client) for _ in range(3)] == ["Bearer first", "Bearer second", ""]


def test_a_new_token_has_256_random_bits_and_shows_none() -> None:
    one, other = a_new_token(), a_new_token()
    assert re.fullmatch(r"mds_[a-z0-9]{12}_[0-9a-f]{64}", one.text)
    assert one.text[17:] != other.text[17:]
    assert one.name == f"tokens/{one.text[4:16]}"
    assert one.sha256 == hashlib.sha256(one.text.encode()).hexdigest()
    assert one.text not in repr(one)


def test_a_command_line_gets_a_variable_and_never_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert ShownToken().in_a_shell == ""
    assert ShownToken("given").in_a_shell == '"$MDS_TOKEN"'
    file = tmp_path / "token"
    file.write_text("secret")
    monkeypatch.setenv("MDS_TOKEN_FILE", str(file))
    assert ShownToken().in_a_shell == '"$(cat "$MDS_TOKEN_FILE")"'
