from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.webui.messages import stamp
from webui.clock import duration_words, moment

ROME = ZoneInfo("Europe/Rome")


def test_a_time_of_today_is_a_time_of_day_where_people_are() -> None:
    now = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
    shown = moment(stamp(datetime(2026, 3, 14, 6, 5, 4, 250000, tzinfo=UTC)), today=now, zone=ROME)
    assert shown.text == "07:05:04"
    assert shown.iso == "2026-03-14T06:05:04.250Z"


def test_a_time_of_another_day_says_which() -> None:
    # 23:30 UTC is already the next day in Rome.
    now = datetime(2026, 3, 14, 23, 30, tzinfo=UTC)
    shown = moment(stamp(datetime(2026, 3, 14, 22, 30, tzinfo=UTC)), today=now, zone=ROME)
    assert shown.text == "2026-03-14 23:30:00"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3605, "1 h"),
        (7500, "2 h 5 min"),
        (90000, "1 d 1 h"),
        (86460, "1 d"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
