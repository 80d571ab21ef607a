"""A client of the metadata server, for control units, pages, scripts and notebooks.

    from control_units.client import Client, NotFound, Unreachable

    async with Client() as client:                        # MDS_ADDRESS, else 127.0.0.1:7400
        try:
            unit = await client.control_units.get("DAFNE/PL/QSK/QSKPL106")
        except NotFound as refused:                       # refused.reason, .message, .metadata
            ...
        except Unreachable as unreachable:                # no server in time
            ...
        async for unit in client.control_units.list(id_prefix="DAFNE/"):
            ...

Each kind of resources is an attribute with `get`, `list`, `create`, `update`, `change`, `delete`,
`mirror`, and all methods of its service in the contract: `client.control_units.RenameControlUnit(
RenameControlUnitRequest(…))`. Services that are about no kind have these alone.

A call with one request and one reply goes to any server and, when it cannot be done twice by it,
is sent again until its time is over; mutations get a request id when they come without one. A
call with a stream is an asynchronous iterator of replies (`write`, `done_writing`, `cancel`),
raises the same errors, and is opened again by its user, who alone knows where to go on;
`client.changes` is a watch that does so by itself.

`SyncClient` is the same without `async` and `await`, for scripts and notebooks.

The errors are one tree: `ClientError` over `Refused`, with a class for each kind of refusal, and
`Unreachable`; `is_transient` says whether the same call may succeed later.
"""

from typing import TYPE_CHECKING, Any

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
from control_units.client.collections import Collection, Reading, Watched
from control_units.client.errors import (
    AlreadyExists,
    Busy,
    ClientError,
    Denied,
    Fault,
    HistoryGone,
    Invalid,
    NotFound,
    Precondition,
    Refused,
    Stale,
    Unreachable,
    Violation,
    from_status,
)
from control_units.client.request_ids import present_request, within_request
from control_units.client.tokens import BadToken

if TYPE_CHECKING:
    from control_units.client.blocking import SyncClient
    from control_units.client.bundles import NotApplied, Outcome
    from control_units.client.changes import Changes
    from control_units.client.mirror import Mirror
    from control_units.client.operations import NotReached, RunningOperation
    from control_units.client.resource_changes import Change

__all__ = [
    "ADDRESS_VARIABLE",
    "DEFAULT_ADDRESS",
    "DEFAULT_PORT",
    "AlreadyExists",
    "Backoff",
    "BadAddress",
    "BadToken",
    "Busy",
    "Change",
    "Changes",
    "Client",
    "ClientError",
    "Collection",
    "Denied",
    "Fault",
    "HistoryGone",
    "Invalid",
    "Mirror",
    "NotApplied",
    "NotFound",
    "NotReached",
    "Outcome",
    "Precondition",
    "Reading",
    "Refused",
    "RunningOperation",
    "Stale",
    "Stream",
    "SyncClient",
    "Unreachable",
    "Violation",
    "Watched",
    "default_principal",
    "from_status",
    "parse_addresses",
    "present_request",
    "within_request",
]

# Each brings half of the contract with it, which few programs need.
_LATE = {
    "SyncClient": "blocking",
    "NotApplied": "bundles",
    "Outcome": "bundles",
    "Change": "resource_changes",
    "Changes": "changes",
    "Mirror": "mirror",
    "NotReached": "operations",
    "RunningOperation": "operations",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
