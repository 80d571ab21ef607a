"""Units that stay, and require units that would be deleted."""

from collections.abc import Collection

from mds.v1.control_unit_pb2 import ListControlUnitsRequest

from control_units.client import Client
from webui.names import id_of

# So many are named in a filter, which looks for each of them in every unit; of more, all units that
# require any are read instead.
MOST_ASKED = 50
PAGE = 1000


async def left_behind(client: Client, names: Collection[str]) -> list[str]:
    """Ids of units that require one of these, and are none of them, in their order.

    Raises:
        ClientError
    """
    gone = {name for name in names if name.startswith("control_units/")}
    if not gone:
        return []
    named = ",".join(f'"{id_of(name)}"' for name in sorted(gone))
    asked = f"requires={named}" if len(gone) <= MOST_ASKED else "requires:*"
    request = ListControlUnitsRequest(page_size=PAGE)
    return [
        id_of(each.name)
        async for each in client.control_units.list(request, filter=asked)
        if each.name not in gone and not gone.isdisjoint(each.requires)
    ]
