"""Resources of which the names are known, many at once."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from mds.v1.control_unit_pb2 import ControlUnit, ListControlUnitsRequest

from control_units.client.client import Client

# A filter has at most 4,000 characters.
LONGEST_FILTER = 3_900
_LARGEST_PAGE = 1_000
# Pages that are read at a time.
_AT_A_TIME = 8


def id_filters(ids: Iterable[str], key: str = "id") -> Iterator[str]:
    """Filters that together all of some ids pass."""
    begun: list[str] = []
    length = 0
    for id in ids:
        if begun and length + len(id) + 3 > LONGEST_FILTER:
            yield f"{key}={','.join(begun)}"
            begun, length = [], 0
        begun.append(f'"{id}"')
        length += len(id) + 3
    if begun:
        yield f"{key}={','.join(begun)}"


async def find_control_units(client: Client, names: Sequence[str]) -> dict[str, ControlUnit]:
    """Those that are there, by name.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def page(filter: str) -> Sequence[ControlUnit]:
        async with gate:
            request = ListControlUnitsRequest(filter=filter, page_size=_LARGEST_PAGE)
            return (await client.control_units.ListControlUnits(request)).control_units

    filters = id_filters(name.removeprefix("control_units/") for name in names)
    pages = await asyncio.gather(*map(page, filters))
    return {unit.name: unit for page in pages for unit in page}
