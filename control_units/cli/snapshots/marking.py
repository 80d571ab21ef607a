"""Snapshots: listed, created, marked, and set value by value."""

from collections.abc import Mapping, Sequence

import click
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.snapshot_pb2 import (
    CreateSnapshotRequest,
    GetSnapshotRequest,
    SetSnapshotValuesRequest,
    Snapshot,
    UpdateSnapshotRequest,
    ValueToSet,
)

from control_units.cli.connection import Connection
from control_units.cli.kinds import Reads
from control_units.cli.output.writing import Shape, write_all
from control_units.cli.times import shown
from control_units.client import Client

_HEADERS = ("id", "marks", "taken", "units", "values", "description")


def list_snapshots(connection: Connection, filters: Mapping[str, str], *, output: str) -> None:
    """Lists them by id.

    Args:
        filters: fields of ListSnapshotsRequest.
    """

    async def work(client: Client) -> list[Snapshot]:
        return [each async for each in Reads("snapshots").all(client, **filters)]

    write_all(connection.run(work), Shape(_HEADERS, _row, elastic=("description",)), output)


def _row(each: Snapshot) -> tuple[str, ...]:
    return (
        _id(each.name),
        ", ".join(each.marks),
        shown(each.taken_time),
        str(len(each.units)),
        str(sum(len(unit.values) for unit in each.units)),
        each.description,
    )


def create_snapshot(connection: Connection, name: str, *, description: str, reason: str) -> None:
    request = CreateSnapshotRequest(
        snapshot=Snapshot(name=name, description=description), reason=reason
    )

    async def work(client: Client) -> Snapshot:
        return await client.snapshots.CreateSnapshot(request)

    say(f"{_id(name)} is there, with nothing in it yet", connection.run(work).revision)


def change_marks(
    connection: Connection,
    name: str,
    *,
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
    reason: str,
) -> None:
    """Adds marks to those that are there, or takes some of them away.

    Raises:
        click.ClickException: it has none of those that shall go.
    """

    async def work(client: Client) -> tuple[Snapshot, Snapshot]:
        before = await client.snapshots.GetSnapshot(GetSnapshotRequest(name=name))
        if lacking := sorted(set(removed) - set(before.marks)):
            has = ", ".join(before.marks) or "none"
            raise click.ClickException(
                f"{_id(name)} has no mark {', '.join(lacking)}; its marks: {has}."
            )
        wanted = sorted({*before.marks, *added} - set(removed))
        request = UpdateSnapshotRequest(
            snapshot=Snapshot(name=name, etag=before.etag, marks=wanted),
            update_mask=FieldMask(paths=["marks"]),
            reason=reason,
        )
        return before, await client.snapshots.UpdateSnapshot(request)

    before, after = connection.run(work)
    has = ", ".join(after.marks) or "none"
    if after.revision == before.revision:
        click.secho(f"Nothing to do: the marks of {_id(name)} are {has}.", bold=True)
    else:
        say(f"the marks of {_id(name)} are now {has}", after.revision)


def set_value(
    connection: Connection, name: str, point: tuple[str, str, str], *, reason: str
) -> None:
    """Sets one value.

    Args:
        point: name of a control unit, attribute, value.
    """
    control_unit, attribute, value = point
    unit_id = _id(control_unit)
    request = SetSnapshotValuesRequest(
        name=name,
        values=[ValueToSet(control_unit=unit_id, attribute=attribute, value=value)],
        reason=reason,
    )

    async def work(client: Client) -> Snapshot:
        return await client.snapshots.SetSnapshotValues(request)

    found = connection.run(work)
    say(f"{attribute} of {unit_id} is {value} in {_id(name)}", found.revision)


def say(what: str, revision: int) -> None:
    click.secho(f"At revision {revision}: {what}.", bold=True)
    click.echo(f"To take a change back: mds undo {revision}")


def _id(name: str) -> str:
    return name.partition("/")[2]
