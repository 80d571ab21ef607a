"""Rows of the two histories as changes, with the ids that things had at the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from metadata_server.domain.change import Action, Change
from metadata_server.domain.intent.control_unit import ControlUnitStatus, with_condition
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.session import Session, contact_of
from metadata_server.domain.life.state import Contact, Health, health_of
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.store.agents.launched import conditions_of_server, keep_dying
from metadata_server.store.codec import data_of
from metadata_server.store.images import from_image
from metadata_server.store.keys import batches
from metadata_server.store.life.desires import NOTHING_WANTED, out_of_dates, wanted_of
from metadata_server.store.life.observer import observer
from metadata_server.store.life.sessions import sessions_of
from metadata_server.store.life.status_images import session_of, status_of
from metadata_server.store.orchestration.maintenances import coverage_now
from metadata_server.store.orchestration.operations import operations_of, with_image
from metadata_server.store.past.history import learn_references
from metadata_server.store.schema import name
from metadata_server.store.unit_of_work import UnitOfWork

Row = dict[str, Any]


def changes_of(unit: UnitOfWork, rows: Sequence[Row]) -> list[Change]:
    """Changes of rows of `history` with their change sets, and of `history_with_sessions`;
    sorted by revision and ordinal."""
    names = Names(unit, {row["key"] for row in rows})
    declared = [row for row in rows if "action" in row]
    told = [row for row in rows if row["kind"] == Kind.OPERATION]
    reported = [row for row in rows if "action" not in row and row["kind"] != Kind.OPERATION]
    changes = [
        *declared_changes(unit, declared, names),
        *reported_changes(unit, reported, names),
        *operation_changes(unit, told, names),
    ]
    return sorted(changes, key=lambda change: (change.revision, change.ordinal))


class Names:
    """The ids that some keys had, over time."""

    def __init__(self, unit: UnitOfWork, keys: Iterable[int]) -> None:
        self._spans: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for some in batches(sorted(keys)):
            query = select(name.c.key, name.c.from_revision, name.c.id).where(name.c.key.in_(some))
            rows = unit.connection.execute(query.order_by(name.c.from_revision)).all()
            for key, since, id in rows:
                self._spans[key].append((since, id))

    def at(self, key: int, revision: int) -> str:
        """The last id that a key had got by a revision; empty: none."""
        known = [id for since, id in self._spans[key] if since <= revision]
        return known[-1] if known else ""


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


class Verdicts:
    """Contact and health of units as they are now, and whether they are out of date.

    Not as they were: whoever follows the changes hears of sessions and intents too, and nobody
    wants to see an old contact told late.
    """

    def __init__(self, unit: UnitOfWork, rows: Sequence[Row]) -> None:
        units = [row for row in rows if row["kind"] == Kind.CONTROL_UNIT_STATUS]
        servers = {row["unit_server_key"] for row in units} - {None}
        seen = observer(unit) if units else None
        self._wanted = wanted_of(unit, [row["key"] for row in units])
        self._behind = out_of_dates(unit, self._wanted)
        self._coverage = coverage_now(unit) if units else Coverage()
        declared_for = {each.unit_server_key for each in self._wanted.values()} - {0}
        unit.keys.find_ids(Kind.UNIT_SERVER, declared_for)
        sessions = [row["key"] for row in rows if row["kind"] == Kind.UNIT_SERVER_STATUS]
        self._dying = keep_dying(unit, declared_for | set(sessions))
        self._servers = {key: unit.keys.id_of(Kind.UNIT_SERVER, key) for key in declared_for}
        self._contacts = {
            session.id: contact_of(session, lease, seen, unit.now_us)
            for session, lease in sessions_of(unit, servers).values()
            if seen is not None
        }

    def contact(self, session: str) -> Contact:
        return self._contacts.get(session, Contact.NONE)

    def health(self, status: ControlUnitStatus) -> Health:
        desired = self._wanted.get(status.key, NOTHING_WANTED).state
        condition = self._maintained(status)
        contact = self.contact(status.session)
        return health_of(
            status.state,
            desired,
            contact,
            in_maintenance=condition is not None,
            is_stuck=status.is_stuck,
        )

    def complete(self, status: ControlUnitStatus) -> ControlUnitStatus:
        """A status with the conditions that are not stored."""
        complete = with_condition(status, self._behind.get(status.key))
        complete = with_condition(complete, self._maintained(status))
        server = self._wanted.get(status.key, NOTHING_WANTED).unit_server_key
        return with_condition(complete, self._dying.get(server))

    def complete_session(self, session: Session) -> Session:
        """A session with the conditions of its unit server."""
        conditions = conditions_of_server(self._dying, session.unit_server_key)
        return replace(session, conditions=conditions) if conditions else session

    def _maintained(self, status: ControlUnitStatus) -> Condition | None:
        server = self._wanted.get(status.key, NOTHING_WANTED).unit_server_key
        return self._coverage.condition(status.id, self._servers.get(server, ""))


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


def reported_changes(unit: UnitOfWork, rows: Sequence[Row], names: Names) -> list[Change]:
    unit.keys.find_ids(Kind.UNIT_SERVER, {row["unit_server_key"] for row in rows} - {None})
    verdicts = Verdicts(unit, rows)
    return [reported_change(unit, row, names, verdicts) for row in rows]


def reported_change(unit: UnitOfWork, row: Row, names: Names, verdicts: Verdicts) -> Change:
    kind, key, revision = Kind(row["kind"]), row["key"], row["revision"]
    id = names.at(key, revision)
    subject: ControlUnitStatus | Session
    if kind is Kind.UNIT_SERVER_STATUS:
        subject = verdicts.complete_session(session_of(row, unit_server=id))
        contact, health = subject.contact, Health.GOOD
    else:
        server = row["unit_server_key"]
        server_id = "" if server is None else unit.keys.id_of(Kind.UNIT_SERVER, server)
        subject = verdicts.complete(status_of(row, id=id, unit_server=server_id))
        contact, health = verdicts.contact(subject.session), verdicts.health(subject)
    return Change(
        revision=revision,
        ordinal=row["ordinal"],
        time_us=row["time_us"],
        kind=kind,
        key=key,
        id=id,
        id_before=names.at(key, revision - 1),
        action=Action.UPDATED,
        subject=subject,
        contact=contact,
        health=health,
    )
