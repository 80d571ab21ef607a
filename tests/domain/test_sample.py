"""Samples told as one keep what happened, and the worst moment."""

from metadata_server.domain.life.state import Health
from metadata_server.domain.sample import FINE_US, Sample, thinned

MINUTE_US = 60_000_000


def sample(second: int, *, bad: int = 0, changes: int = 0, beat_us: int = 0) -> Sample:
    return Sample(
        time_us=second * 1_000_000,
        changes=changes,
        sessions=1 if beat_us else 0,
        beat_median_us=beat_us,
        beat_worst_us=beat_us * 2,
        healths={Health.BAD: bad, Health.GOOD: 10 - bad},
    )


def test_what_happened_is_added_up_and_the_worst_moment_is_kept() -> None:
    told = thinned([sample(10, changes=2), sample(20, bad=3), sample(60, changes=1)], MINUTE_US)
    assert [each.time_us for each in told] == [60_000_000]
    assert (told[0].changes, told[0].span_us) == (3, 3 * FINE_US)
    assert told[0].healths == {Health.BAD: 3, Health.GOOD: 7}


def test_a_time_at_the_end_of_a_step_belongs_to_it() -> None:
    told = thinned([sample(60), sample(70), sample(120), sample(121)], MINUTE_US)
    assert [each.time_us // 1_000_000 for each in told] == [60, 120, 121]


def test_times_without_a_session_say_nothing_of_heartbeats() -> None:
    (told,) = thinned([sample(10, beat_us=5), sample(20), sample(30, beat_us=9)], MINUTE_US)
    assert (told.beat_median_us, told.beat_worst_us) == (7, 18)


def test_what_is_apart_stays_apart() -> None:
    apart = [sample(10), sample(20, bad=1), sample(30)]
    assert thinned(apart, FINE_US) == apart
