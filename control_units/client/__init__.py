"""A client of the metadata server, for control units, pages, scripts and notebooks.

    from control_units.client import Client, Refused, Unreachable
    from mds.v1.control_unit_pb2 import GetControlUnitRequest

    async with Client() as client:                        # MDS_ADDRESS, else 127.0.0.1:7400
        try:
            unit = await client.control_units.GetControlUnit(
                GetControlUnitRequest(name="control_units/DAFNE/PL/QSK/QSKPL106")
            )
        except Refused as refused:                        # refused.reason, .message, .metadata
            ...
        except Unreachable as unreachable:                # no server in time
            ...

The services are attributes: `agents`, `bundles`, `control_units`, `datasets`,
`execution_units`, `instantiations`, `operations`, `overview`, `registration`, `scripts`,
`sightings`, `snapshots`, `templates`, `unit_servers`, `variables`, `watch`. A call with one
request and one reply goes to any server and, when it cannot be done twice by it, is sent again
until its time is over; mutations get a request id when they come without one. A call with a
stream is an asynchronous iterator of replies (`write`, `done_writing`, `cancel`), raises the
same errors, and is opened again by its user, who alone knows where to go on:

    position = None
    async for change in client.watch.Watch(WatchRequest(position=position)):
        position = change.position

The errors are one tree: `ClientError` over `Refused` and `Unreachable`; `is_transient` says
whether the same call may succeed later.
"""

from control_units.client.addresses import (
    ADDRESS_VARIABLE,
    DEFAULT_ADDRESS,
    DEFAULT_PORT,
    BadAddress,
    parse_addresses,
)
from control_units.client.backoff import Backoff
from control_units.client.calls import Stream
from control_units.client.client import Client, default_principal
from control_units.client.errors import (
    ClientError,
    Refused,
    Unreachable,
    Violation,
    from_status,
)

__all__ = [
    "ADDRESS_VARIABLE",
    "DEFAULT_ADDRESS",
    "DEFAULT_PORT",
    "Backoff",
    "BadAddress",
    "Client",
    "ClientError",
    "Refused",
    "Stream",
    "Unreachable",
    "Violation",
    "default_principal",
    "from_status",
    "parse_addresses",
]
