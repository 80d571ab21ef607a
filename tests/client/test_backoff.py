"""How long to wait before the next try."""

from control_units.client import Backoff


def test_the_longest_wait_doubles_up_to_its_limit() -> None:
    for number, ceiling in enumerate([0.1, 0.2, 0.4, 0.8, 1.0, 1.0]):
        waits = []
        for _ in range(200):
            backoff = Backoff(first=0.1, longest=1.0)
            for _ in range(number):
                backoff.next()
            waits.append(backoff.next())
        assert 0 <= min(waits) < ceiling / 4, "the jitter is full"
        assert ceiling * 0.75 < max(waits) <= ceiling


def test_jitter_comes_on_top_of_what_the_server_asked() -> None:
    waits = {Backoff(first=0.1, longest=1.0).next(at_least=2.0) for _ in range(50)}
    assert min(waits) >= 2.0
    assert max(waits) > 2.5, "spread over as long as it asked, not over its own first 0.1 s"


def test_success_starts_it_over() -> None:
    backoff = Backoff(first=0.1, longest=100.0)
    for _ in range(20):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 0.1
