"""Which of the servers that announce themselves a client may ask."""

import pytest

from control_units.client.addresses import Address, parse_addresses
from control_units.client.announced import nearest, of_one_facility
from control_units.client.directory import NothingFound
from control_units.client.rotation import Server

ONE = Server(address="127.0.0.1:1", facility="DAFNE", store="2b046b25-ae48")
OTHER = Server(address="127.0.0.1:2", facility="DAFNE", store="2b046b25-ae48")
FOREIGN = Server(address="127.0.0.1:3", facility="", store="91ab33f0-0000")
SECRET = Server(address="127.0.0.1:4", facility="DAFNE", store="2b046b25-ae48", is_tls=True)


def zeroconf(facility: str = "") -> Address:
    return parse_addresses(f"zeroconf:{facility}")[0]


@pytest.mark.parametrize("meant", ["DAFNE", "dafne", "2b04"])
def test_a_facility_is_chosen_by_its_name_or_by_its_id(meant: str) -> None:
    assert of_one_facility([ONE, FOREIGN, OTHER], zeroconf(meant)) == [ONE, OTHER]


def test_without_a_name_the_only_facility_is_meant() -> None:
    assert of_one_facility([ONE, OTHER], zeroconf()) == [ONE, OTHER]


def test_servers_of_several_facilities_are_never_mixed() -> None:
    said = r"several facilities .*: DAFNE \(2b046b25\), one without a name \(91ab33f0\)\. .*zeroconf:FACILITY"
    with pytest.raises(NothingFound, match=said):
        of_one_facility([ONE, FOREIGN], zeroconf())


def test_a_server_that_speaks_tls_is_passed_over() -> None:
    assert of_one_facility([SECRET, ONE], zeroconf()) == [ONE]
    with pytest.raises(NothingFound, match=r"127.0.0.1:4 speak TLS"):
        of_one_facility([SECRET], zeroconf())


def test_that_nobody_is_there_is_said_with_what_to_do() -> None:
    with pytest.raises(
        NothingFound, match=r"No server is announced on this network.*MDS_ANNOUNCE=1"
    ):
        of_one_facility([], zeroconf())
    with pytest.raises(NothingFound, match=r"facility 'LNF' .*there are servers of DAFNE"):
        of_one_facility([ONE], zeroconf("LNF"))


def test_of_the_addresses_of_a_host_one_in_a_network_of_this_machine_is_taken() -> None:
    assert nearest(["198.51.100.7", "127.0.0.1"]) == "127.0.0.1"
    assert nearest(["198.51.100.1", "198.51.100.2"]) == "198.51.100.1"
