"""Rows of the two histories as changes, with the ids that things had at the time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from metadata_server.domain.change import Action, Change
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Maintenance, Turn
from metadata_server.store.codec import data_of
from metadata_server.store.images import from_image
from metadata_server.store.orchestration.operations import operations_of, with_image
from metadata_server.store.past.history import learn_references
from metadata_server.store.past.names import Names
from metadata_server.store.past.past import resources_at
from metadata_server.store.past.status_changes import Row, status_changes
from metadata_server.store.unit_of_work import UnitOfWork

TURNS = {Turn.BEGUN: "It begins now.", Turn.OVER: "It is over."}
"""Reasons that events have which nobody has caused."""


def changes_of(unit: UnitOfWork, rows: Sequence[Row], kinds: Collection[Kind]) -> list[Change]:
    """Changes of some kinds, of rows of `history` with their change sets, and of
    `history_with_sessions`; sorted by revision and ordinal."""
    names = Names(unit, {row["key"] for row in rows})
    declared = [row for row in rows if "action" in row and row["kind"] in kinds]
    told = [row for row in rows if row["kind"] == Kind.OPERATION]
    turned = [row for row in rows if "action" not in row and row["kind"] == Kind.MAINTENANCE]
    changes = [
        *declared_changes(unit, declared, names),
        *status_changes(unit, rows, names, kinds),
        *operation_changes(unit, told, names),
        *turn_changes(unit, turned, names),
    ]
    return sorted(changes, key=lambda change: (change.revision, change.ordinal))


def declared_changes(unit: UnitOfWork, rows: Iterable[Row], names: Names) -> list[Change]:
    found = []
    images = [(row, Kind(row["kind"]), data_of(row["image"])) for row in rows]
    for kind in {kind for _, kind, _ in images}:
        learn_references(unit.keys, kind, [image for _, of, image in images if of is kind])
    for row, kind, image in images:
        revision, key, action = row["revision"], row["key"], Action(row["action"])
        gone = action is Action.DELETED
        subject = None if gone else from_image(kind, key, revision, image, unit.keys.id_of)
        found.append(
            Change(
                revision=revision,
                ordinal=row["ordinal"],
                time_us=row["time_us"] or image.get("update_time_us", 0),
                kind=kind,
                key=key,
                id=names.at(key, revision),
                id_before="" if action is Action.CREATED else names.at(key, revision - 1),
                action=action,
                subject=subject,
                author=row["author"] or "",
                reason=row["reason"] or "",
            )
        )
    return found


def operation_changes(unit: UnitOfWork, rows: Sequence[Row], names: Names) -> list[Change]:
    """Operations as they were, without the selections and edits, which can be long."""
    if not rows:
        return []
    known = operations_of(unit, {row["key"] for row in rows})
    found = []
    for row in rows:
        key, revision = row["key"], row["revision"]
        if key not in known:  # it has been trimmed since
            continue
        operation = with_image(known[key], data_of(row["image"]), revision)
        order = replace(operation.order, selection=UnitSelection(), edits=())
        id_before = names.at(key, revision - 1)
        found.append(
            Change(
                revision=revision,
                ordinal=row["ordinal"],
                time_us=row["time_us"],
                kind=Kind.OPERATION,
                key=key,
                id=operation.id,
                id_before=id_before,
                action=Action.UPDATED if id_before else Action.CREATED,
                subject=replace(operation, order=order),
                author="" if id_before else operation.author,
                reason="" if id_before else operation.reason,
            )
        )
    return found


def turn_changes(unit: UnitOfWork, rows: Iterable[Row], names: Names) -> list[Change]:
    """That maintenances begin and end by themselves."""
    found = []
    for row in rows:
        key, revision = row["key"], row["revision"]
        maintenance = resources_at(unit, Maintenance, [key], revision).get(key)
        if maintenance is None:
            continue
        found.append(
            Change(
                revision=revision,
                ordinal=row["ordinal"],
                time_us=row["time_us"],
                kind=Kind.MAINTENANCE,
                key=key,
                id=names.at(key, revision),
                id_before=names.at(key, revision - 1),
                action=Action.UPDATED,
                subject=maintenance,
                reason=TURNS[Turn(row["image"])],
            )
        )
    return found
