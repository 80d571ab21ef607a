"""Where calls come from."""

import pytest

from metadata_server.api.peers import Peers, bare
from metadata_server.domain.networks import networks

BEHIND = Peers(networks("10.77.0.10,192.168.0.0/16"))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.7:51234", "10.0.0.7"),
        ("ipv6:%5B::1%5D:51234", "::1"),
        ("10.0.0.7", "10.0.0.7"),
        ("fe80::7", "fe80::7"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_an_address_is_read_as_grpc_and_http_name_it(peer: str, address: str) -> None:
    assert bare(peer) == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("ipv4:10.77.0.10:1", "10.0.0.7", "10.0.0.7"),
        ("10.77.0.10", "1.2.3.4, 10.0.0.7", "10.0.0.7"),
        ("10.77.0.10", "10.0.0.7, 192.168.3.3", "10.0.0.7"),
        ("10.77.0.10", "", "10.77.0.10"),
        ("10.0.0.9", "10.0.0.7", "10.0.0.9"),
    ],
    ids=["its proxy", "what a client made up", "two proxies", "it does not say", "no proxy"],
)
def test_only_proxies_are_believed(peer: str, forwarded: str, address: str) -> None:
    assert BEHIND.address_of(peer, forwarded) == address


def test_without_proxies_nobody_is_believed() -> None:
    assert Peers().address_of("10.77.0.10", "10.0.0.7") == "10.77.0.10"
