"""Ports of a local facility: what the environment says, and what is in the way."""

import socket
from collections.abc import Iterator

import pytest

from control_units.local_facility.ports import PortInvalid, Ports, PortTaken
from tests.stages.ports import free_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def ports(grpc: int) -> Ports:
    return Ports.of(
        {
            "MDS_GRPC_PORT": str(grpc),
            "MDS_HTTP_PORT": str(free_port()),
            "MDS_WEB_PORT": str(free_port()),
        }
    )


def test_without_settings_the_well_known_ports_are_used() -> None:
    known = Ports.of({})
    assert known.settings() == {
        "MDS_GRPC_PORT": "7400",
        "MDS_HTTP_PORT": "7401",
        "MDS_WEB_PORT": "7402",
        "MDS_ADDRESS": "127.0.0.1:7400",
    }
    assert known.page == "http://127.0.0.1:7402/"


def test_a_port_that_is_taken_is_told_with_the_setting_that_changes_it(taken: int) -> None:
    with pytest.raises(PortTaken) as told:
        ports(taken).check_free()
    assert f"Port {taken}, for the server" in str(told.value)
    assert f"MDS_GRPC_PORT={taken + 10}" in str(told.value)
    assert "MDS_WEB_PORT" not in str(told.value)


def test_whoever_takes_the_port_is_named(taken: int) -> None:
    with pytest.raises(PortTaken, match=r"by process \d+ \(\w+"):
        ports(taken).check_free()


def test_free_ports_are_taken_without_a_word() -> None:
    ports(free_port()).check_free()


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "74 00"])
def test_a_setting_that_is_no_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(PortInvalid, match=f"MDS_WEB_PORT is '{text}'; it must be a number"):
        Ports.of({"MDS_WEB_PORT": text})
