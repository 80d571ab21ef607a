"""The overview as it was at a moment: drawn once, of what a record is kept of."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from mds.v1 import history_pb2, operation_pb2, overview_pb2

from control_units.client import Client
from webui.live.around import Around
from webui.live.painter import Link, Painter, Painting
from webui.overview.doings import MOST_CHANGES, MOST_OPERATIONS, Doings, doings_of
from webui.overview.glance import Glance, glance
from webui.site import Site


@dataclass(frozen=True, slots=True)
class Past:
    """
    Attributes:
        doings: its operations are those that were under way then, but how far they have come is
            that of now.
    """

    view: Glance
    painting: Painting
    doings: Doings


async def read_past(site: Site) -> Past:
    """
    Raises:
        ClientError: what the server says, or that none answers.
    """
    overview = await site.client.overview.GetOverview(
        overview_pb2.GetOverviewRequest(as_of=site.as_of)
    )
    doings = await read_doings(site.client, overview)
    view = glance(overview)
    around = Around(Doings((), more=False, changes=doings.changes))
    painting = Painter(site.environment).paint(view, Link("live", site.client.address), around)
    return Past(view, painting, doings)


async def read_doings(client: Client, overview: overview_pb2.GetOverviewResponse) -> Doings:
    """The operations that had been ordered by then and had not ended, and the changes before."""
    then = overview.time.ToDatetime(tzinfo=UTC)
    operations, changes = await asyncio.gather(
        client.operations.ListOperations(
            operation_pb2.ListOperationsRequest(
                filter=under_way_at(then), page_size=MOST_OPERATIONS
            )
        ),
        client.history.ListChangeSets(
            history_pb2.ListChangeSetsRequest(
                filter=f"revision<={overview.position.revision}", page_size=MOST_CHANGES
            )
        ),
    )
    return doings_of(operations, changes.change_sets, today=then)


def under_way_at(time: datetime) -> str:
    """A filter of operations."""
    text = time.isoformat()
    return f"created<={text} -ended<={text}"
