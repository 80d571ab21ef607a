"""What units and unit servers last said, and what a unit shall use; one method a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.configuration import Configuration, effective
from metadata_server.domain.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Listing, Selection
from metadata_server.domain.session import Session, contact_of
from metadata_server.domain.state import Contact, Health, health_of
from metadata_server.domain.unit_server import UnitServer
from metadata_server.store.desires import desired_states
from metadata_server.store.observer import observer
from metadata_server.store.published import published_attributes
from metadata_server.store.sessions import sessions_of
from metadata_server.store.status_lists import session_page, status_page
from metadata_server.store.statuses import statuses_of
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Reported:
    """What a unit last said, with what only the server can say of it."""

    status: ControlUnitStatus
    contact: Contact
    health: Health


class Statuses:
    """Reads what is reported and what is in effect."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, id: str) -> Answer[Reported]:
        """What one control unit last said.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Reported:
            key = unit.resources.get(ControlUnit, id).meta.key
            status = statuses_of(unit, [key]).get(key, ControlUnitStatus(id=id, key=key))
            return reported(unit, [status])[0]

        return await self._store.read(work)

    async def list(
        self, selection: Selection, *, size: int, token: str
    ) -> Answer[Listing[Reported]]:
        """One page of what control units last said, by id.

        Raises:
            Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET.
        """

        def work(unit: UnitOfWork) -> Listing[Reported]:
            page = status_page(unit, selection, size=size, token=token)
            return Listing(reported(unit, page.items), page.position, page.next_page_token)

        return await self._store.read(work)

    async def get_session(self, id: str) -> Answer[Session]:
        """The last session of a unit server; one never seen has an empty one.

        Raises:
            Refused: UNIT_SERVER_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Session:
            key = unit.resources.get(UnitServer, id).meta.key
            held = sessions_of(unit, [key])
            found = (
                held[key][0] if key in held else Session(id="", unit_server=id, unit_server_key=key)
            )
            return in_touch(unit, [found])[0]

        return await self._store.read(work)

    async def list_sessions(
        self, selection: Selection, *, size: int, token: str
    ) -> Answer[Listing[Session]]:
        """One page of the last sessions of unit servers, by id of the unit server."""

        def work(unit: UnitOfWork) -> Listing[Session]:
            page = session_page(unit, selection, size=size, token=token)
            return Listing(in_touch(unit, page.items), page.position, page.next_page_token)

        return await self._store.read(work)

    async def configuration(self, id: str) -> Answer[Configuration]:
        """What one control unit shall use.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Configuration:
            declared = unit.resources.get(ControlUnit, id)
            template_key = unit.keys.key_of(Kind.TEMPLATE, declared.template)
            pair = (template_key, declared.template_version)
            template = unit.resources.versions([pair])[pair]
            key = declared.meta.key
            return effective(published_attributes(unit, [key]).get(key), template, declared)

        return await self._store.read(work)


def in_touch(unit: UnitOfWork, sessions: Sequence[Session]) -> list[Session]:
    """Sessions with their contact as it is now, blindness of the observer included."""
    leases = {key: lease for key, (_, lease) in sessions_of(unit, keys_of(sessions)).items()}
    seen = observer(unit)
    return [
        replace(one, contact=contact_of(one, leases.get(one.unit_server_key), seen, unit.now_us))
        for one in sessions
    ]


def keys_of(sessions: Sequence[Session]) -> list[int]:
    return [session.unit_server_key for session in sessions]


def reported(unit: UnitOfWork, statuses: Sequence[ControlUnitStatus]) -> list[Reported]:
    """Statuses with contact and verdict. The contact is that of the session which last stamped
    the unit; when its unit server has had another one since, there is none."""
    desired = desired_states(unit, [status.key for status in statuses])
    servers = unit.keys.find(Kind.UNIT_SERVER, {s.unit_server for s in statuses} - {""})
    seen = observer(unit)
    contacts = {
        session.id: contact_of(session, lease, seen, unit.now_us)
        for session, lease in sessions_of(unit, servers.values()).values()
    }
    found = []
    for status in statuses:
        contact = contacts.get(status.session, Contact.NONE)
        health = health_of(status.state, desired[status.key], contact)
        found.append(Reported(status, contact, health))
    return found
