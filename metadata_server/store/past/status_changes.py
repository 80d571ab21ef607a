"""Changes of statuses: what was reported, and that they come, go and are renamed with what they are
of. A list of them, kept current by such changes alone, is the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from metadata_server.domain.change import Action, Change
from metadata_server.domain.intent.control_unit import ControlUnitStatus, with_condition
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.session import Session, contact_of
from metadata_server.domain.life.state import Contact, Health, health_of
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.store.agents.launched import conditions_of_server, keep_dying
from metadata_server.store.codec import data_of
from metadata_server.store.life.desires import NOTHING_WANTED, out_of_dates, wanted_of
from metadata_server.store.life.observer import observer
from metadata_server.store.life.sessions import sessions_of
from metadata_server.store.life.status_images import session_of, status_of
from metadata_server.store.orchestration.maintenances import coverage_now
from metadata_server.store.past.names import Names
from metadata_server.store.past.past_statuses import images_at
from metadata_server.store.unit_of_work import UnitOfWork

Row = dict[str, Any]
OWNERS = {Kind.CONTROL_UNIT_STATUS: Kind.CONTROL_UNIT, Kind.UNIT_SERVER_STATUS: Kind.UNIT_SERVER}
"""What the statuses of a kind are of; the keys are the same."""


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


def status_changes(
    unit: UnitOfWork, rows: Sequence[Row], names: Names, kinds: Collection[Kind]
) -> list[Change]:
    """Changes of the statuses of some kinds.

    Args:
        rows: of `history_with_sessions`, and of `history` what tells of their owners.
    """
    reported = [row for row in rows if "action" not in row and row["kind"] in OWNERS]
    moved = moved_rows(unit, rows, names, kinds, {place_of(row) for row in reported})
    told = [row for row in reported if is_told(row, names)] + moved
    unit.keys.find_ids(Kind.UNIT_SERVER, {row["unit_server_key"] for row in told} - {None})
    verdicts = Verdicts(unit, told)
    return [status_change(unit, row, names, verdicts) for row in told]


def place_of(row: Row) -> tuple[int, int]:
    return row["key"], row["revision"]


def is_told(row: Row, names: Names) -> bool:
    """Nothing is told of what has been deleted, save that it was."""
    return not names.has_gone(*place_of(row)) or names.moves(*place_of(row))


def moved_rows(
    unit: UnitOfWork,
    rows: Iterable[Row],
    names: Names,
    kinds: Collection[Kind],
    known: Collection[tuple[int, int]],
) -> list[Row]:
    """A row for each status that came, went, or got another name with its owner.

    Args:
        known: keys and revisions at which statuses were reported, too.
    """
    kind_of = {OWNERS[kind]: kind for kind in OWNERS.keys() & set(kinds)}
    moved: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        is_owner = "action" in row and row["kind"] in kind_of
        if is_owner and place_of(row) not in known and names.moves(*place_of(row)):
            moved[row["revision"]].append(row)
    found = []
    for revision, of_owners in moved.items():
        were_there = {row["key"] for row in of_owners if not names.is_new(row["key"], revision)}
        held = images_at(unit, were_there, revision)
        found += [
            moved_row(row, kind_of[Kind(row["kind"])], held.get(row["key"])) for row in of_owners
        ]
    return found


def moved_row(owner: Row, kind: Kind, held: Row | None) -> Row:
    """
    Args:
        owner: row of `history` of what the status is of.
        held: the last image of the status; None: there was none.
    """
    return {
        "kind": kind.value,
        "key": owner["key"],
        "revision": owner["revision"],
        "ordinal": owner["ordinal"],
        "time_us": owner["time_us"] or data_of(owner["image"]).get("update_time_us", 0),
        "unit_server_key": held and held["unit_server_key"],
        "held": held,
    }


def status_change(unit: UnitOfWork, row: Row, names: Names, verdicts: Verdicts) -> Change:
    key, revision = place_of(row)
    id, id_before = names.at(key, revision), names.then(key, revision - 1)
    action = Action.UPDATED
    if names.moves(key, revision) and not id_before:
        action = Action.CREATED
    change = Change(
        revision=revision,
        ordinal=row["ordinal"],
        time_us=row["time_us"],
        kind=Kind(row["kind"]),
        key=key,
        id=id,
        id_before=id_before,
        action=action,
        subject=None,
    )
    if names.has_gone(key, revision):
        return replace(change, action=Action.DELETED)
    if change.kind is Kind.UNIT_SERVER_STATUS:
        session = verdicts.complete_session(session_in(row, id))
        return replace(change, subject=session, contact=session.contact)
    server = row["unit_server_key"]
    server_id = "" if server is None else unit.keys.id_of(Kind.UNIT_SERVER, server)
    status = verdicts.complete(status_in(row, id, server_id))
    return replace(
        change,
        subject=status,
        contact=verdicts.contact(status.session),
        health=verdicts.health(status),
    )


def session_in(row: Row, unit_server: str) -> Session:
    held = row.get("held", row)
    if held is None:
        return Session(id="", unit_server=unit_server, unit_server_key=row["key"])
    return session_of(held, unit_server=unit_server)


def status_in(row: Row, id: str, unit_server: str) -> ControlUnitStatus:
    held = row.get("held", row)
    if held is None:
        return ControlUnitStatus(id=id, key=row["key"])
    return status_of(held, id=id, unit_server=unit_server)
