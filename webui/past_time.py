"""When a moment was that pages are looked at."""

from contextlib import suppress
from datetime import UTC, datetime

from mds.v1.history_pb2 import ListChangeSetsRequest

from control_units.client import Client


async def time_of(client: Client, as_of: str) -> datetime | None:
    """When that is: of a revision, the time of the last change up to it, and before the first the
    beginning of all times; None: now.

    Raises:
        ClientError: what the server says of what is no moment, or of one that has not come yet.
    """
    if not as_of:
        return None
    if not as_of.isdecimal():
        with suppress(ValueError):
            return datetime.fromisoformat(as_of).astimezone(UTC)
    page = await client.history.ListChangeSets(ListChangeSetsRequest(until=as_of, page_size=1))
    times = [each.time.ToDatetime(tzinfo=UTC) for each in page.change_sets]
    return max(times, default=datetime.fromtimestamp(0, UTC))
