"""Reads the samples of a range, and what the address of a page says of it."""

import asyncio
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from mds.v1 import overview_pb2

from control_units.client import Client, ClientError
from webui.charts.chart import Charts, charts_of
from webui.site import READ_SECONDS
from webui.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Range:
    """A time up to now.

    Attributes:
        step_s: time between two samples.
    """

    key: str
    title: str
    seconds: int
    step_s: int


RANGES = (
    Range("1h", gettext_noop("1 hour"), 3_600, 10),
    Range("24h", gettext_noop("24 hours"), 86_400, 300),
    Range("7d", gettext_noop("7 days"), 604_800, 1_800),
)


def range_of(key: str) -> Range:
    """The range that an address names; for anything else the first."""
    return next((each for each in RANGES if each.key == key), RANGES[0])


async def read_charts(client: Client, wanted: Range) -> Charts | None:
    """None: they cannot be read; what else a page shows does not wait for them."""
    request = overview_pb2.ListSamplesRequest(
        range=Duration(seconds=wanted.seconds), step=Duration(seconds=wanted.step_s)
    )
    try:
        async with asyncio.timeout(READ_SECONDS):
            listed = await client.overview.ListSamples(request)
    except (ClientError, TimeoutError):
        return None
    return charts_of(listed, range_s=wanted.seconds)
