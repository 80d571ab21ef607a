"""The groups that somebody chose to see in place of the zones."""

import asyncio
from dataclasses import dataclass
from datetime import UTC

from mds.v1 import overview_pb2

from control_units.client import Client, ClientError
from webui.overview.group import MOST_ROWS, GroupRow, group_row
from webui.site import READ_SECONDS, explain
from webui.translation import _, gettext_noop

ZONE = "zone"
# What units can be grouped by, with the heading over it.
TITLES = {
    ZONE: gettext_noop("Zones"),
    "unit_server": gettext_noop("Unit servers"),
    "template": gettext_noop("Templates"),
}
LABEL = "label."


@dataclass(frozen=True, slots=True)
class Groups:
    """
    Attributes:
        hidden: groups that are not among the rows.
        problem: why there are none; empty: they were read.
    """

    by: str
    title: str
    rows: tuple[GroupRow, ...] = ()
    hidden: int = 0
    problem: str = ""


def title_of(by: str) -> str:
    return _(TITLES[by]) if by in TITLES else by.removeprefix(LABEL)


async def read_groups(client: Client, by: str) -> Groups:
    """Worst first."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            listed = await client.overview.ListGroups(overview_pb2.ListGroupsRequest(by=by))
    except (ClientError, TimeoutError) as failure:
        title, message, _status = explain(failure)
        return Groups(by, title_of(by), problem=f"{title}. {message}")
    today = listed.time.ToDatetime(tzinfo=UTC)
    rows = tuple(
        group_row(each, each.group, by=by, today=today) for each in listed.groups[:MOST_ROWS]
    )
    return Groups(by, title_of(by), rows, hidden=len(listed.groups) - len(rows))
