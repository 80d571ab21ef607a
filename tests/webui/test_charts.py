"""Charts: what is drawn of samples, on the page and for its script."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from mds.v1 import overview_pb2, state_pb2

from metadata_server.domain.life.state import Health
from metadata_server.domain.sample import FINE_US, Sample
from metadata_server.store import samples as table
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite
from webui.charts.chart import Charts, Series, charts_of, without_calm
from webui.charts.drawing import drawing, round_up
from webui.charts.reading import RANGES, range_of

START = 1_700_000_000


def listed(*samples: tuple[int, int, int]) -> overview_pb2.ListSamplesResponse:
    """Samples by second: bad units and changes."""
    answer = overview_pb2.ListSamplesResponse()
    answer.step.FromSeconds(10)
    answer.time.FromSeconds(START + 600)
    for second, bad, changes in samples:
        sample = answer.samples.add(changes=changes)
        sample.time.FromSeconds(START + second)
        sample.span.FromSeconds(10)
        sample.health_counts.add(health=state_pb2.HEALTH_BAD, count=bad)
    return answer


def series(charts: Charts, id: str, title: str) -> Series:
    (chart,) = (each for each in charts.charts if each.id == id)
    return next(each for each in chart.series if each.title == title)


def test_rates_are_told_by_the_minute_and_counts_as_they_are() -> None:
    charts = charts_of(listed((10, 2, 1), (20, 3, 0)), range_s=600)
    assert series(charts, "changes", "By people").values == (6.0, 0.0)
    assert series(charts, "health", "Bad").values == (2, 3)
    assert series(charts, "health", "Bad").now == "3"
    assert series(charts, "heartbeats", "Oldest").values == (None, None)


def test_a_line_is_broken_where_nobody_looked() -> None:
    charts = charts_of(listed((10, 1, 0), (20, 1, 0), (80, 1, 0)), range_s=600)
    assert [time - START for time in charts.times] == [10, 20, 30, 80]
    assert series(charts, "health", "Bad").values == (1, 1, None, 1)
    assert charts.charts[0].drawing.paths[0][1].count("M") == 2


@pytest.mark.parametrize(
    ("values", "coloured"),
    [
        ([0, 0, 0], [None, None, None]),
        ([0, 0, 2, 0, 0], [None, 0, 2, 0, None]),
        ([3, 0], [3, 0]),
        ([None, 0], [None, None]),
    ],
)
def test_what_is_good_has_no_colour(
    values: Sequence[float | None], coloured: Sequence[float | None]
) -> None:
    assert without_calm(values) == coloured


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (3, 5), (20, 20), (21, 50), (999, 1000)]
)
def test_the_upper_edge_is_a_round_number(value: float, top: float) -> None:
    assert round_up(value) == top


def test_lines_stay_in_their_box() -> None:
    made = drawing([("bad", [5, 10])], [0, 100], (50, 100))
    assert made.top == "10"
    assert made.paths == (("bad", "M0.0 50.0L600.0 0.0"),)


def test_an_unknown_range_is_the_first() -> None:
    assert range_of("7d").seconds == 604_800
    assert range_of("nonsense") is RANGES[0]


async def test_charts_are_on_the_page_without_scripts_and_come_as_values(
    open_site: OpenSite, tmp_path: Path
) -> None:
    """Those of another replica that ran an hour ago, too."""
    url = f"sqlite:///{tmp_path / 'mds.sqlite'}"
    replica = Replica(url, tmp_path)
    try:
        await replica.start()

        def earlier(unit: UnitOfWork) -> None:
            now_us = unit.now_us // FINE_US * FINE_US
            times = (now_us - n * FINE_US for n in range(100, 90, -1))
            bad = {Health.BAD: 7}
            table.write(unit, [Sample(time_us=at, changes=2, healths=bad) for at in times], FINE_US)

        with opened_store(url) as store:
            store.transact_now(earlier)
        site = await open_site(replica.address, follow=True)
        await until(lambda: site.hub.picture.link == "live", what="the first picture")
        page = await site.text("/?range=1h")
        assert 'class="bad" d="M' in page
        assert '<a href="/?range=24h">' in page
        assert '<td class="number">7</td>' in page
        data = await (await site.http.get("/charts?range=1h")).json()
        assert data["charts"]["health"][0]["values"].count(7) == 10
        assert len(data["times"]) == len(data["charts"]["changes"][0]["values"])
        grouped = await site.text("/?group=template")
        assert 'hx-get="/groups?group=template"' in grouped
        assert "INVALID_FIELD" in await site.text("/groups?group=nonsense")
        assert "No unit servers are declared" in await site.text("/topology")
        assert "data-wall" in await site.text("/?wall")
    finally:
        replica.program.clear()
