"""What agents say, and who they are; one method a call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from metadata_server.domain.filter.asked_list import AskedList, ListPage, page_of
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.life.admission import clock
from metadata_server.domain.life.agent_report import (
    LONGEST_HOST,
    MAXIMUM_INCARNATION,
    MOST_PROCESSES,
    AgentReport,
    AgentStatus,
    Holder,
    LogRequest,
    process_after,
)
from metadata_server.domain.life.state import Contact
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import RefusalKind, Refused, WrongField
from metadata_server.store.agents.agent_statuses import (
    agent_status_of,
    agent_statuses_of,
    lock_agent_status,
    write_agent_status,
)
from metadata_server.store.agents.launched import holders, write_launched
from metadata_server.store.agents.log_requests import asked_of
from metadata_server.store.intent.scopes import ids_in
from metadata_server.store.life.endings import tell_contacts
from metadata_server.store.life.sessions import lock_unit_server, sessions_of
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent is told.

    Attributes:
        held: unit servers declared for it that are processes of others.
    """

    held: list[Holder]
    log_requests: list[LogRequest]


class AgentReports:
    """Takes reports down, and reads them.

    Args:
        timing: an agent has the lease and the period of a unit server.
    """

    def __init__(self, store: Store, timing: Timing) -> None:
        self._store = store
        self.timing = timing

    async def report(self, said: AgentReport) -> Answer[Told]:
        """Takes a report down. Only that a unit server was given up, or is no longer, is a
        change with a revision.

        Raises:
            Refused: AGENT_NOT_FOUND, ALREADY_RUNNING, INVALID_FIELD.
        """
        if faults := list(report_faults(said)):
            raise Refused.wrong_fields(faults)
        return await self._store.transact(lambda unit: self._report(unit, said))

    def _report(self, unit: UnitOfWork, said: AgentReport) -> Told:
        key = unit.resources.get(Agent, said.agent).meta.key
        before = lock_agent_status(unit, key, suspect_us=self.timing.suspect_us)
        refuse_rival(before, said)
        known = {each.unit_server: each for each in before.processes}
        declared = unit.keys.find(Kind.UNIT_SERVER, (each.unit_server for each in said.processes))
        processes = {
            declared[each.unit_server]: process_after(
                each, known.get(each.unit_server), unit.now_us
            )
            for each in said.processes
            if each.unit_server in declared  # else it was deleted, and is being ended
        }
        same = before.incarnation == said.incarnation
        write_agent_status(
            unit,
            key,
            said,
            sorted(processes.values(), key=lambda each: each.unit_server),
            start_us=before.start_time_us if same else unit.now_us,
            lease_us=self.timing.lease_us,
        )
        tell(unit, write_launched(unit, key, processes))
        running = [server for server, process in processes.items() if process.pid]
        return Told(holders(unit, key, running), asked_of(unit, key))

    async def get(self, id: str) -> Answer[AgentStatus]:
        """What an agent said last; one that never came has an empty status.

        Raises:
            Refused: AGENT_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> AgentStatus:
            key = unit.resources.get(Agent, id).meta.key
            return agent_status_of(unit, key, suspect_us=self.timing.suspect_us)

        return await self._store.read(work)

    async def list(
        self, id_prefix: str, asked: AskedList, *, ids: Collection[str] = ()
    ) -> Answer[ListPage[AgentStatus]]:
        """One page of what agents said last; nothing of it is kept, so that each page is as of
        now.

        Args:
            ids: of the only ones that are listed; empty: any.

        Raises:
            Refused: INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """

        named = frozenset(ids)

        def work(unit: UnitOfWork) -> ListPage[AgentStatus]:
            def tell(ids: Sequence[str]) -> list[AgentStatus]:
                keys = unit.keys.find(Kind.AGENT, ids)
                said = agent_statuses_of(unit, keys.values(), suspect_us=self.timing.suspect_us)
                return [said.get(keys[id]) or AgentStatus(agent=id) for id in ids]

            found = ids_in(unit, Kind.AGENT, id_prefix)
            listed = [id for id in found if id in named] if named else found
            return page_of(listed, tell, asked, now_us=unit.now_us)

        return await self._store.read(work)


def report_faults(said: AgentReport) -> Iterator[WrongField]:
    """What of a report cannot be taken down."""
    if not 0 < len(said.incarnation) <= MAXIMUM_INCARNATION:
        expected = f"1 to {MAXIMUM_INCARNATION} characters"
        yield WrongField("incarnation", said.incarnation, expected)
    for field, text in (("host", said.host), ("version", said.version)):
        if len(text) > LONGEST_HOST:
            yield WrongField(field, text, f"at most {LONGEST_HOST} characters")
    if len(said.processes) > MOST_PROCESSES:
        expected = f"at most {MOST_PROCESSES} of them"
        yield WrongField("processes", str(len(said.processes)), expected)
    yield from pid_faults(said.pid, "pid")
    seen: set[str] = set()
    for position, each in enumerate(said.processes):
        yield from pid_faults(each.pid, f"processes[{position}].pid")
        if each.unit_server in seen:
            path = f"processes[{position}].unit_server"
            yield WrongField(path, each.unit_server, "each unit server once")
        seen.add(each.unit_server)


def pid_faults(pid: int, field: str) -> Iterator[WrongField]:
    if pid < 0:
        yield WrongField(field, str(pid), "a process id, from 0 on")


def refuse_rival(before: AgentStatus, said: AgentReport) -> None:
    """Passes an agent that is the same as before, or whose predecessor is out of touch, or was on
    the same host: there a lock on a file lets only one of them run.

    Raises:
        Refused: ALREADY_RUNNING, naming who holds it.
    """
    is_over = before.contact in {Contact.NONE, Contact.LOST}
    if is_over or before.incarnation == said.incarnation or before.host == said.host:
        return
    since = clock(before.start_time_us)
    raise Refused(
        RefusalKind.PRECONDITION,
        "ALREADY_RUNNING",
        f"Agent {said.agent!r} is running already, on {before.host or 'an unnamed host'} (pid "
        f"{before.pid}) since {since}. Stop that one first, or give this host an agent of its own.",
        metadata={
            "agent": said.agent,
            "host": before.host,
            "pid": str(before.pid),
            "since": since,
        },
    )


def tell(unit: UnitOfWork, unit_server_keys: Iterable[int]) -> None:
    """Makes it news that something else holds of unit servers: an image of each, with the contact
    that it has anyway."""
    keys = sorted(unit_server_keys)
    for key in keys:  # before the revision is claimed, as registrations do
        lock_unit_server(unit, key)
    held = sessions_of(unit, keys)
    contacts = {}
    for key in keys:
        session = held[key][0] if key in held else None
        contacts[key] = (session.id, session.contact) if session else ("", Contact.NONE)
    ends = {
        key: (session.end_time_us, session.end_reason)
        for key, (session, _) in held.items()
        if session.end_time_us is not None and session.end_reason is not None
    }
    tell_contacts(unit, contacts, ends)
