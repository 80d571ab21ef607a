"""Where servers are, as people write it."""

import pytest

from control_units.client import BadAddress, Client, parse_addresses


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("a:1", ["a:1"]),
        ("a", ["a:7400"]),
        (" a:1 , b:2,", ["a:1", "b:2"]),
        (["a:1", "a:1", "b"], ["a:1", "b:7400"]),
        ("[::1]", ["[::1]:7400"]),
        ("[::1]:5", ["[::1]:5"]),
        ("dns:7400", ["dns:7400"]),  # a host may be called so
        ("dns:mds.example.org", ["dns:mds.example.org:7400"]),
        ("dns:///mds:1", ["dns:mds:1"]),
        ("dns://10.0.0.1/mds:1", ["dns://10.0.0.1:53/mds:1"]),
        ("dns://[::1]:5353/mds", ["dns://[::1]:5353/mds:7400"]),
        ("srv:example.org", ["srv:_mds._tcp.example.org"]),
        ("srv://10.0.0.1:5353/_mds._tcp.x", ["srv://10.0.0.1:5353/_mds._tcp.x"]),
        ("zeroconf:", ["zeroconf:"]),
        ("zeroconf:DAFNE,a", ["zeroconf:DAFNE", "a:7400"]),
        ("zeroconf://127.0.0.1/DAFNE", ["zeroconf://127.0.0.1/DAFNE"]),
        ("zeroconf://127.0.0.1", ["zeroconf://127.0.0.1/"]),
    ],
)
def test_addresses_are_read(written: str, addresses: list[str]) -> None:
    read = parse_addresses(written)
    assert [str(each) for each in read] == addresses
    assert parse_addresses(addresses) == read


@pytest.mark.parametrize(
    "written",
    ["", " , ", "a:0", "a:65536", "a:b", ":7400", "::1", "a:1:2", "dns:", "dns:a:b", "dns://x/a"],
)
def test_what_is_no_address_is_named(written: str) -> None:
    with pytest.raises(BadAddress, match="should"):
        parse_addresses(written)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("http://mds:7400", r"'http'.*HOST\[:PORT\], dns:NAME\[:PORT\], srv:NAME or zeroconf:"),
        ("dns:_mds._tcp.x", "should be 'srv:_mds._tcp.x'"),
        ("srv:example.org:7400", "without a port"),
        ("srv:", "should be srv:NAME"),
        ("zeroconf://eth0/", "IPv4 address of this machine for 'eth0'"),
        ("zeroconf:a/b", "'zeroconf:FACILITY'"),
    ],
)
def test_what_would_be_right_is_said(written: str, right: str) -> None:
    with pytest.raises(BadAddress, match=right) as bad:
        parse_addresses(f"a:1,{written}")
    assert written in str(bad.value)
    assert "MDS_ADDRESS" in str(bad.value)


async def test_the_environment_says_where_servers_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDS_ADDRESS", "a:1,b:2")
    assert Client().addresses == ("a:1", "b:2")
    assert Client("c:3").addresses == ("c:3",)
    monkeypatch.delenv("MDS_ADDRESS")
    assert Client().addresses == ("127.0.0.1:7400",)
