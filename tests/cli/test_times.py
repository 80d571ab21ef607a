"""Times as people write them: what none of the calendars has is refused in words."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta

import click
import pytest

from control_units.cli.times import Ahead, AsOf, Moment, Span


@pytest.fixture(params=["Europe/Rome", "America/Chicago"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (Moment(), "999999w", "'999999w' is no time; right would be 2024-05-31"),
        (Moment(), "0001-01-01", "'0001-01-01' is no time"),
        (Moment(), "9999-12-31T23:59:59", "'9999-12-31T23:59:59' is no time"),
        (Moment(), "yesterday", "'yesterday' is no time"),
        (AsOf(), "0001-01-01", "'0001-01-01' is no time"),
        (Ahead(), "999999w", "'999999w' is too far ahead; right would be 36h or 30d."),
        (Ahead(), "1d ago", "'1d ago' is no time"),
        (Span(), "999999w", "'999999w' is no span; right would be 90s, 2m, 1h or 0.5."),
        (Span(), "1e12", "'1e12' is no span"),
    ],
)
def test_what_no_calendar_has_is_refused(
    kind: click.ParamType[object], text: str, told: str
) -> None:
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(text, None, None)
    assert told in caught.value.message


def test_a_span_of_weeks_is_one() -> None:
    assert Span().convert("400d", None, None) == timedelta(days=400)
