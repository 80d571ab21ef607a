"""Reads what the units declared for a unit server last said, those included that never did."""

from mds.v1.control_unit_pb2 import (
    ControlUnitStatus,
    GetControlUnitStatusRequest,
    ListControlUnitsRequest,
    ListControlUnitStatusesRequest,
)

from control_units.client import Client
from webui.names import id_of

LARGEST_PAGE = 1000
# Units that never reported are asked for one by one; more than this wait until they do.
MOST_SILENT = 100


async def hosted_statuses(
    client: Client, unit_server: str, limit: int
) -> tuple[list[ControlUnitStatus], bool]:
    """At most `limit` statuses by id, and whether there are more.

    The list of statuses knows only units that a process has hosted; who was never hosted is
    among the declared units.

    Args:
        unit_server: `unit_servers/{id}`.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    statuses, more = await _reported(client, unit_server, limit)
    if more or len(statuses) >= limit:
        return statuses, more
    declared, more = await _declared(client, unit_server, limit)
    known = {status.control_unit for status in statuses}
    silent = [name for name in declared if name not in known]
    for name in silent[:MOST_SILENT]:
        request = GetControlUnitStatusRequest(name=f"control_unit_statuses/{id_of(name)}")
        statuses.append(await client.control_units.GetControlUnitStatus(request))
    statuses.sort(key=lambda status: status.control_unit.encode())
    return statuses, more or len(silent) > MOST_SILENT


async def _reported(
    client: Client, unit_server: str, limit: int
) -> tuple[list[ControlUnitStatus], bool]:
    found: list[ControlUnitStatus] = []
    token = ""
    while len(found) < limit:
        page = await client.control_units.ListControlUnitStatuses(
            ListControlUnitStatusesRequest(
                unit_server=unit_server,
                page_size=min(LARGEST_PAGE, limit - len(found)),
                page_token=token,
            )
        )
        found.extend(page.control_unit_statuses)
        token = page.next_page_token
        if not token:
            break
    return found, bool(token)


async def _declared(client: Client, unit_server: str, limit: int) -> tuple[list[str], bool]:
    page = await client.control_units.ListControlUnits(
        ListControlUnitsRequest(unit_server=unit_server, page_size=min(LARGEST_PAGE, limit))
    )
    return [unit.name for unit in page.control_units], bool(page.next_page_token)
