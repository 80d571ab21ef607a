"""What units and unit servers last said, and what a unit shall use; one method a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from metadata_server.domain.change import Position
from metadata_server.domain.intent.configuration import Configuration, effective
from metadata_server.domain.intent.control_unit import (
    ControlUnit,
    ControlUnitStatus,
    with_condition,
)
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import Session, contact_of
from metadata_server.domain.life.state import Contact, Health, health_of
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Listing, Selection
from metadata_server.store.agents.launched import conditions_of_server, keep_dying
from metadata_server.store.life.datasets import datasets_of
from metadata_server.store.life.desires import (
    NOTHING_WANTED,
    Wanted,
    out_of_dates,
    wanted_at,
    wanted_of,
)
from metadata_server.store.life.observer import observer
from metadata_server.store.life.programs import in_touch
from metadata_server.store.life.sessions import sessions_of
from metadata_server.store.life.status_lists import session_page, status_page
from metadata_server.store.orchestration.maintenances import conditions_now
from metadata_server.store.past.history import key_at
from metadata_server.store.past.moments import position_at
from metadata_server.store.past.past import resource_at
from metadata_server.store.past.past_statuses import sessions_at, statuses_at
from metadata_server.store.store import Answer, Store, told_at
from metadata_server.store.unit_of_work import UnitOfWork

T = TypeVar("T")
UNIT_KINDS = frozenset({Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS})
SERVER_KINDS = frozenset({Kind.UNIT_SERVER, Kind.UNIT_SERVER_STATUS})


@dataclass(frozen=True, slots=True)
class Reported:
    """What a unit last said, with what only the server can say of it."""

    status: ControlUnitStatus
    contact: Contact
    health: Health


@dataclass(frozen=True, slots=True)
class InEffect:
    """What a unit shall use, and what that was made of.

    Attributes:
        control_unit: its key.
        template: key of its template.
        is_awaited: whether the dataset that its code has named is still on its way.
    """

    configuration: Configuration
    control_unit: int
    template: int
    is_awaited: bool = False


class Statuses:
    """Reads what is reported and what is in effect."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, id: str, *, as_of: str = "") -> Answer[Reported]:
        """What one control unit last said by a moment; empty: by now.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND, INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
        """

        def work(unit: UnitOfWork) -> tuple[Reported, Position]:
            position = position_at(unit, moment_of(as_of), UNIT_KINDS)
            key = resource_at(unit, ControlUnit, id, position).meta.key
            (status,) = statuses_at(unit, {id: key}, position.revision)
            return reported_at(unit, [status], position)[0], position

        return told_at(await self._store.read(work))

    async def list(
        self, selection: Selection, *, size: int, token: str
    ) -> Answer[Listing[Reported]]:
        """One page of what control units last said, by id.

        Raises:
            Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET, HISTORY_TRIMMED.
        """

        def work(unit: UnitOfWork) -> Listing[Reported]:
            page = status_page(unit, selection, size=size, token=token)
            told_as_of = page.position if selection.as_of else unit.position
            known = {row.status.key: row.wanted for row in page.items if row.wanted}
            statuses = [row.status for row in page.items]
            items = reported_at(unit, statuses, told_as_of, known=known)
            return Listing(items, page.position, page.next_page_token)

        return await self._store.read(work)

    async def get_session(self, id: str, *, as_of: str = "") -> Answer[Session]:
        """The last session of a unit server by a moment; one never seen has an empty one.

        Raises:
            Refused: UNIT_SERVER_NOT_FOUND, INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
        """

        def work(unit: UnitOfWork) -> tuple[Session, Position]:
            position = position_at(unit, moment_of(as_of), SERVER_KINDS)
            key = resource_at(unit, UnitServer, id, position).meta.key
            found = sessions_at(unit, {id: key}, position.revision)
            is_now = position == unit.position
            return (told_of(unit, found) if is_now else found)[0], position

        return told_at(await self._store.read(work))

    async def list_sessions(
        self, selection: Selection, *, size: int, token: str
    ) -> Answer[Listing[Session]]:
        """One page of the last sessions of unit servers, by id of the unit server."""

        def work(unit: UnitOfWork) -> Listing[Session]:
            page = session_page(unit, selection, size=size, token=token)
            items = page.items if selection.as_of else told_of(unit, page.items)
            return Listing(items, page.position, page.next_page_token)

        return await self._store.read(work)

    async def configuration(self, id: str, *, as_of: str = "") -> Answer[InEffect]:
        """What one control unit should use at a moment, with the dataset that its code had
        published by then.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND, INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
        """

        def work(unit: UnitOfWork) -> tuple[InEffect, Position]:
            position = position_at(unit, moment_of(as_of), UNIT_KINDS)
            declared = resource_at(unit, ControlUnit, id, position)
            template = template_at(unit, declared, position)
            (status,) = statuses_at(unit, {id: declared.meta.key}, position.revision)
            dataset = datasets_of(unit, [status.dataset]).get(status.dataset)
            published = dataset.attributes if dataset else None
            found = InEffect(
                effective(published, template, declared),
                control_unit=declared.meta.key,
                template=template.meta.key,
                is_awaited=bool(status.dataset) and dataset is None,
            )
            return found, position

        return told_at(await self._store.read(work))


def template_at(unit: UnitOfWork, declared: ControlUnit, position: Position) -> Template:
    """The version of a template that a unit stood on."""
    key = key_at(unit.connection, Kind.TEMPLATE, declared.template, position.revision)
    assert key is not None, "no template is deleted while a unit stands on it"
    pair = (key, declared.template_version)
    return unit.resources.versions([pair])[pair]


def told_of(unit: UnitOfWork, sessions: Sequence[Session]) -> list[Session]:
    """Sessions with their contact as it is now, and with the conditions of their unit servers."""
    dying = keep_dying(unit, keys_of(sessions))
    return [
        replace(one, conditions=conditions_of_server(dying, one.unit_server_key))
        for one in in_touch(unit, sessions)
    ]


def keys_of(sessions: Sequence[Session]) -> list[int]:
    return [session.unit_server_key for session in sessions]


def reported_at(
    unit: UnitOfWork,
    statuses: Sequence[ControlUnitStatus],
    position: Position,
    *,
    known: Mapping[int, Wanted] | None = None,
) -> list[Reported]:
    """Statuses of a position with the contact, the verdict and the conditions of then. The
    contact is that of the session which last stamped the unit; when its unit server has had
    another one since, there is none.

    Args:
        known: what is wanted now of some of the units, by key.
    """
    keys = [status.key for status in statuses]
    if position == unit.position:
        now = known or {}
        wanted = {**now, **wanted_of(unit, [key for key in keys if key not in now])}
        contacts = contacts_now(unit, statuses)
        maintained = conditions_now(unit, statuses, wanted)
        dying = keep_dying(unit, {each.unit_server_key for each in wanted.values()} - {0})
    else:
        wanted = wanted_at(unit, keys, position.revision)
        contacts = contacts_at(unit, statuses, position.revision)
        dying = {}
        maintained = {}  # of the past only what was declared is told: see `ListMaintenances`
    behind = out_of_dates(unit, wanted)
    found = []
    for status in statuses:
        contact = contacts.get(status.session, Contact.NONE)
        declared = wanted.get(status.key, NOTHING_WANTED)
        is_left = status.key in maintained
        health = health_of(
            status.state,
            declared.state,
            contact,
            in_maintenance=is_left,
            is_stuck=status.is_stuck,
        )
        complete = with_condition(status, behind.get(status.key))
        complete = with_condition(complete, maintained.get(status.key))
        complete = with_condition(complete, dying.get(declared.unit_server_key))
        found.append(Reported(complete, contact, health))
    return found


def contacts_now(unit: UnitOfWork, statuses: Iterable[ControlUnitStatus]) -> dict[str, Contact]:
    """Contacts by session, as they are now."""
    servers = unit.keys.find(Kind.UNIT_SERVER, {s.unit_server for s in statuses} - {""})
    return contacts_of(unit, servers.values())


def contacts_of(unit: UnitOfWork, unit_server_keys: Iterable[int]) -> dict[str, Contact]:
    """Contacts of the last sessions of unit servers, by session, as they are now."""
    seen = observer(unit)
    return {
        session.id: contact_of(session, lease, seen, unit.now_us)
        for session, lease in sessions_of(unit, unit_server_keys).values()
    }


def contacts_at(
    unit: UnitOfWork, statuses: Iterable[ControlUnitStatus], revision: int
) -> dict[str, Contact]:
    """Contacts by session, as they were at a revision."""
    named = {
        id: key_at(unit.connection, Kind.UNIT_SERVER, id, revision)
        for id in {status.unit_server for status in statuses} - {""}
    }
    servers = {id: key for id, key in named.items() if key is not None}
    return {session.id: session.contact for session in sessions_at(unit, servers, revision)}
