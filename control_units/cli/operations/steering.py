"""From what people say about an operation to what it does next."""

from collections.abc import Sequence
from typing import Literal

import click
from mds.v1 import operation_pb2
from mds.v1.operation_pb2 import (
    ListOperationsRequest,
    ListOperationsResponse,
    Operation,
    SkipOperationStepsRequest,
)

from control_units.cli.connection import Connection
from control_units.cli.operations.words import bare, counts_text, order_text, standing_text
from control_units.cli.times import shown
from control_units.client import Client

LAST = "operations/last"

Turn = Literal["Pause", "Resume", "Abort", "Retry"]


def full_name(connection: Connection, name: str) -> str:
    """The name, or that of the newest operation of who asks.

    Raises:
        click.ClickException: there is none.
    """
    if name != LAST:
        return name
    author = connection.author()

    async def work(client: Client) -> ListOperationsResponse:
        request = ListOperationsRequest(author=author, page_size=1, order_by="create_time desc")
        return await client.operations.ListOperations(request)

    found = connection.run(work).operations
    if not found:
        raise click.ClickException(
            f"{author} has given no order; `mds operation list` shows those of others."
        )
    (newest,) = found
    click.echo(f"{bare(newest.name)}: {order_text(newest)}, {shown(newest.create_time)}", err=True)
    return newest.name


def steer(connection: Connection, turn: Turn, name: str, *, reason: str) -> None:
    """Has an operation take a turn, and says where it stands then."""
    request = getattr(operation_pb2, f"{turn}OperationRequest")(
        name=full_name(connection, name), reason=reason
    )

    async def work(client: Client) -> Operation:
        found: Operation = await getattr(client.operations, f"{turn}Operation")(request)
        return found

    _tell(connection.run(work))


def skip_steps(
    connection: Connection, name: str, control_units: Sequence[str], *, reason: str
) -> None:
    """Leaves steps out, and says where the operation stands then."""
    request = SkipOperationStepsRequest(
        name=full_name(connection, name), control_units=control_units, reason=reason
    )

    async def work(client: Client) -> Operation:
        return await client.operations.SkipOperationSteps(request)

    _tell(connection.run(work))


def _tell(operation: Operation) -> None:
    click.echo(
        f"{bare(operation.name)}  {standing_text(operation)}  {counts_text(operation)} are there"
    )
