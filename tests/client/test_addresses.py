"""Where servers are, as people write it."""

import pytest

from control_units.client import Client, parse_addresses


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("a:1", ("a:1",)),
        ("a", ("a:7400",)),
        (" a:1 , b:2,", ("a:1", "b:2")),
        (["a:1", "a:1", "b"], ("a:1", "b:7400")),
        ("[::1]", ("[::1]:7400",)),
        ("[::1]:5", ("[::1]:5",)),
    ],
)
def test_addresses_are_read(written: str, addresses: tuple[str, ...]) -> None:
    assert parse_addresses(written) == addresses


@pytest.mark.parametrize("written", ["", " , ", "a:0", "a:65536", "a:b", ":7400", "::1", "a:1:2"])
def test_what_is_no_address_is_named(written: str) -> None:
    with pytest.raises(ValueError, match="should be"):
        parse_addresses(written)


async def test_the_environment_says_where_servers_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDS_ADDRESS", "a:1,b:2")
    assert Client().addresses == ("a:1", "b:2")
    assert Client("c:3").addresses == ("c:3",)
    monkeypatch.delenv("MDS_ADDRESS")
    assert Client().addresses == ("127.0.0.1:7400",)
