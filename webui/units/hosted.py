"""Reads what the units declared for a unit server last said, those included that never did."""

from mds.v1.control_unit_pb2 import ControlUnitStatus, ListControlUnitStatusesRequest

from control_units.client import Client

LARGEST_PAGE = 1000


async def hosted_statuses(
    client: Client, unit_server: str, limit: int, *, as_of: str = ""
) -> tuple[list[ControlUnitStatus], bool]:
    """At most `limit` statuses by id, and whether there are more.

    Args:
        unit_server: `unit_servers/{id}`.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    found: list[ControlUnitStatus] = []
    token = ""
    while len(found) < limit:
        page = await client.control_units.ListControlUnitStatuses(
            ListControlUnitStatusesRequest(
                unit_server=unit_server,
                page_size=min(LARGEST_PAGE, limit - len(found)),
                page_token=token,
                as_of=as_of,
            )
        )
        found.extend(page.control_unit_statuses)
        token = page.next_page_token
        if not token:
            break
    return found, bool(token)
