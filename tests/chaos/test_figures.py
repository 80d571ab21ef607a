"""What is told of times in rounds, and of what grows."""

import random

import pytest

from tests.chaos.figures import (
    longest_gap,
    longest_wait_of_one,
    longest_write_outage,
    percentile,
    resumptions,
)
from tests.chaos.history import LEFT, Closed, History, Outcome, Word, Write
from tests.chaos.samples import Sample, lives, slope


def write(ended: float, outcome: Outcome, client: str = "a") -> Write:
    return Write(
        client=client, resource="variables/1", request_id=str(ended), value="1", etag_asked="*",
        began=ended - 0.1, ended=ended, outcome=outcome,
    )  # fmt: skip


def test_an_outage_is_the_time_between_acknowledged_writes_whoever_was_refused_in_between() -> None:
    moments = [(1.0, Outcome.OK), (2.0, Outcome.OK), (4.0, Outcome.UNKNOWN), (7.5, Outcome.OK)]
    history = History([write(*each) for each in moments])
    assert longest_write_outage(history, 1.5, 8.0) == 5.5


def test_one_writer_may_wait_while_others_write() -> None:
    ok = Outcome.OK
    moments = [(1.0, ok, "a"), (2.0, ok, "b"), (3.0, ok, "b"), (4.5, ok, "a"), (5.0, ok, "b")]
    history = History([write(*each) for each in moments])
    assert longest_write_outage(history, 1.0, 5.0) == 1.5
    assert longest_wait_of_one(history, 1.0, 5.0) == 3.5
    nobody = History([*history.of(Write), write(2.0, Outcome.UNKNOWN, "c")])
    assert longest_wait_of_one(nobody, 1.0, 5.0) == 4.0


def test_an_outage_that_never_ends_lasts_to_the_end() -> None:
    assert longest_gap([1.0], 0.0, 30.0) == 29.0
    assert longest_gap([], 10.0, 30.0) == 20.0


def test_a_stream_is_without_word_from_its_last_one_on_but_not_from_before_the_fault() -> None:
    history = History(
        [
            Word(client="quiet", at=2.0, revision=1),
            Word(client="busy", at=10.5, revision=1),
            Closed(client="quiet", at=11.0, reason="gone"),
            Closed(client="busy", at=16.5, reason="not a word in 6 s"),
            Word(client="quiet", at=12.0, revision=2),
            Word(client="busy", at=17.0, revision=2),
            Closed(client="never again", at=11.0, reason="gone"),
            Closed(client="busy", at=17.5, reason=LEFT),
            Word(client="busy", at=19.0, revision=3),
        ]
    )
    assert resumptions(history, 10.0) == [2.0, 6.5]
    assert resumptions(history, 16.0) == [1.0]


def test_the_99th_of_a_hundred_is_the_last_but_one() -> None:
    assert percentile([*map(float, range(100))], 0.99) == 98.0
    assert percentile([*map(float, range(1000))], 0.99) == 989.0
    assert percentile([], 0.99) == 0.0


def noisy(per_hour: float, *, seed: int = 1) -> list[tuple[float, float]]:
    """Two hours of 100 MiB, which wander as memory does."""
    chance, drift, points = random.Random(seed), 0.0, []
    for at in range(0, 7200, 5):
        drift = 0.9 * drift + chance.gauss(0, 1)
        points.append((float(at), 100 + drift + per_hour * at / 3600))
    return points


@pytest.mark.parametrize("seed", range(5))
def test_what_wanders_is_flat_and_what_grows_is_not(seed: int) -> None:
    assert slope(noisy(0.0, seed=seed)).is_flat
    found = slope(noisy(10.0, seed=seed))
    assert not found.is_flat
    assert found.per_hour == pytest.approx(10.0, abs=2 * found.uncertain + 0.5)


def test_caches_that_fill_in_the_beginning_are_no_growth() -> None:
    filling = [(at, value + min(50.0, at / 20)) for at, value in noisy(0.0)]
    assert slope(filling).is_flat


def test_a_life_is_judged_by_itself_and_not_before_it_is_long() -> None:
    samples = [
        Sample("replica", pid, at + pid * 10_000, (value, 1.0, 1.0, 1.0))
        for pid, until_s in ((1, 600), (2, 7200))
        for at, value in noisy(50.0)
        if at < until_s
    ]
    young, old = lives(samples)
    assert (young.pid, young.is_judged, young.growing) == (1, False, [])
    assert (old.pid, old.is_judged, old.growing) == (2, True, ["memory, MiB"])


def test_a_step_from_one_part_of_the_time_to_the_next_is_no_growth() -> None:
    """While others are killed, who is left has their connections."""
    samples = [
        Sample("replica", 1, at, (value, 1.0, 1.0, 60.0 if at > 5400 else 20.0), str(at > 5400))
        for at, value in noisy(0.0)
    ]
    first, last = lives(samples)
    assert (first.is_judged, last.is_judged) == (True, True)
    assert (first.growing, last.growing) == ([], [])
    (whole,) = lives([Sample(each.service, 1, each.at, each.figures) for each in samples])
    assert whole.growing == ["connections"], "else this proves nothing"


@pytest.mark.parametrize(("service", "size", "grows"), [
    ("galera-3", 100.0, False), ("galera-3", 1_350.0, True), ("web-1", 100.0, True),
])  # fmt: skip
def test_a_database_may_fill_what_it_was_given(service: str, size: float, *, grows: bool) -> None:
    samples = [
        Sample(service, 1, at, (size - 100 + value, 1.0, 1.0, 1.0)) for at, value in noisy(50.0)
    ]
    (life,) = lives(samples)
    assert bool(life.growing) is grows
