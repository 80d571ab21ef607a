"""What stands beside the units on the overview page, read now and then."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from mds.v1 import history_pb2, operation_pb2, replica_pb2

from control_units.client import Client
from webui.overview.doings import (
    MOST_CHANGES,
    MOST_OPERATIONS,
    UNDER_WAY,
    Doings,
    doings_of,
)
from webui.overview.system import System, system_of

# Time for all that is read, in s.
READ_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Around:
    """What stands beside the units; None: it is not known."""

    doings: Doings | None = None
    system: System | None = None

    @property
    def change_sets(self) -> frozenset[str]:
        """Names of the newest ones."""
        changes = self.doings.changes if self.doings else ()
        return frozenset(f"change_sets/{row.id}" for row in changes)


NOTHING_AROUND = Around()


async def read_around(client: Client, *, answered_by: str) -> Around:
    """
    Args:
        answered_by: name of the replica that the page asks.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    operations, changes, replicas = await asyncio.gather(
        client.operations.ListOperations(
            operation_pb2.ListOperationsRequest(phases=UNDER_WAY, page_size=MOST_OPERATIONS),
            timeout=READ_SECONDS,
        ),
        client.history.ListChangeSets(
            history_pb2.ListChangeSetsRequest(page_size=MOST_CHANGES), timeout=READ_SECONDS
        ),
        client.replicas.ListReplicas(replica_pb2.ListReplicasRequest(), timeout=READ_SECONDS),
    )
    today = datetime.now(UTC)
    return Around(
        doings_of(operations, changes.change_sets, today=today),
        system_of(replicas, answered_by=answered_by, today=today),
    )
