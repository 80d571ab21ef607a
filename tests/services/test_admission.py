"""How much one client may have under way."""

from collections.abc import Callable

import pytest

from metadata_server.domain.client_limits import ClientLimits
from metadata_server.domain.refused import Refused
from metadata_server.services import admission as module
from metadata_server.services.admission import Admission

MB = 2**20
SMALL = ClientLimits(calls=2, calls_per_s=10, streams=1, request_bytes=10 * MB)


class Clock:
    """Goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused, match="TOO_BUSY") as found:
        act()
    assert found.value.retry_after_ms
    return found.value


def test_calls_at_once_are_limited_for_each_client_by_itself() -> None:
    admission = Admission(SMALL)
    first, _ = admission.call("A"), admission.call("A")
    assert "MDS_CALLS_PER_CLIENT" in refused(lambda: admission.call("A")).message
    admission.call("B")
    admission.end_call(first)
    admission.call("A")
    assert admission.refused == {"calls_at_once": 1}


def test_a_client_that_loops_is_told_when_its_next_call_is_taken() -> None:
    clock = Clock()
    admission = Admission(SMALL, clock)
    for _ in range(20):  # two seconds of them in one moment
        admission.end_call(admission.call("A"))
    told = refused(lambda: admission.call("A"))
    assert told.retry_after_ms == 100
    admission.end_call(admission.call("B"))
    clock.now = 0.1
    admission.end_call(admission.call("A"))
    refused(lambda: admission.call("A"))


def test_those_who_watch_do_not_keep_out_unit_servers() -> None:
    admission = Admission(SMALL)
    stream = admission.stream("A", of_unit_server=False)
    refused(lambda: admission.stream("A", of_unit_server=False))
    admission.stream("A", of_unit_server=True)
    admission.end_stream(stream, of_unit_server=False)
    admission.stream("A", of_unit_server=False)


@pytest.mark.parametrize("of_unit_server", [False, True], ids=["watches", "unit servers"])
def test_streams_are_limited_over_all_clients_too(*, of_unit_server: bool) -> None:
    admission = Admission(SMALL)
    first, *_ = [admission.stream(name, of_unit_server=of_unit_server) for name in "ABCD"]
    told = refused(lambda: admission.stream("E", of_unit_server=of_unit_server))
    assert "4 streams" in told.message
    assert "4 times MDS_STREAMS_PER_CLIENT" in told.message
    admission.stream("E", of_unit_server=not of_unit_server)
    admission.end_stream(first, of_unit_server=of_unit_server)
    admission.stream("E", of_unit_server=of_unit_server)


def test_bytes_are_limited_in_all_and_half_of_them_for_one() -> None:
    admission = Admission(SMALL)
    a, b, c = (admission.call(name) for name in "ABC")
    admission.keep(a, 5 * MB)
    assert "You have 5 MB" in refused(lambda: admission.keep(a, 1 * MB)).message
    admission.keep(b, 5 * MB)
    assert "Clients have 10 MB" in refused(lambda: admission.keep(c, 1)).message
    admission.release(a, 5 * MB)
    admission.keep(c, 1)


def test_one_request_is_always_taken_however_large_it_may_be() -> None:
    admission = Admission(SMALL)
    admission.keep(admission.call("A"), 11 * MB)


def test_clients_that_have_nothing_under_way_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_CLIENTS", 10)
    admission = Admission(SMALL)
    busy = admission.call("busy")
    for number in range(100):
        admission.end_call(admission.call(f"client {number}"))
    assert admission.clients <= 11
    admission.call("busy")
    refused(lambda: admission.call("busy"))
    assert busy.calls == 2
