"""Unit servers come: one call, one transaction, one answer with all of their units."""

from __future__ import annotations

import uuid
from dataclasses import replace

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.admission import Admission, admit
from metadata_server.domain.life.registration import Registered, Registering
from metadata_server.domain.life.session import EndReason, Lease, Session
from metadata_server.domain.life.sighting import Sighting
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import Asker, Rank
from metadata_server.services.life.arrivals import Arrivals
from metadata_server.services.life.configurations import missing_datasets
from metadata_server.services.life.hosting import Hosting, Told, without_held
from metadata_server.store.life.endings import Ending, end_sessions
from metadata_server.store.life.hosted import hosted_units
from metadata_server.store.life.leases import renew
from metadata_server.store.life.observer import observer_and_node
from metadata_server.store.life.sessions import (
    begin_session,
    check_declared,
    lock_unit_server,
    sessions_of,
)
from metadata_server.store.life.sightings import record_sighting
from metadata_server.store.store import Answer, Store
from metadata_server.store.turns import on_behalf_of
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

ADOPTED = "it came by itself, and MDS_ADOPT is set"
"""Why a unit server is declared that nobody declared, where it does not say itself."""


class Registration:
    """What a unit server needs to become one that runs."""

    def __init__(
        self, store: Store, hosting: Hosting, arrivals: Arrivals, timing: Timing, *, adopt: bool
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._hosting = hosting
        self._timing = timing
        self._adopt = adopt

    async def register(self, said: Registering, caller: Caller) -> Answer[Registered]:
        """Begins a session with a life of each unit, or finds the one that this incarnation
        has already.

        Raises:
            Refused: INVALID_FIELD, UNDECLARED, ALREADY_RUNNING, TOO_BUSY.
        """
        said.check()
        # Whatever it calls from, each unit server has a queue of its own.
        with on_behalf_of(Asker(said.unit_server, Rank.ARRIVALS)):
            try:
                return await self._register(said, caller)
            except Refused as refused:
                if refused.reason != "UNDECLARED":
                    raise
                if not self._adopt:
                    await self._store.transact(lambda unit: record_sighting(unit, seen(said)))
                    raise
            await self._declare(said, caller)
            return await self._register(said, caller)

    async def _register(self, said: Registering, caller: Caller) -> Answer[Registered]:
        def work(unit: UnitOfWork) -> tuple[Registered, list[Told]]:
            return self._admitted(unit, said)

        answer = await self._store.transact(work, caller=caller if said.take_over else None)
        registered, told = answer.value
        hosted = [each.hosted for each in told]
        self._arrivals.expect(registered.session, hosted, registered.position)
        return Answer(registered, answer.position)

    def _admitted(self, unit: UnitOfWork, said: Registering) -> tuple[Registered, list[Told]]:
        position = unit.position  # what is read from here on is as new, and may be newer
        found = unit.keys.find(Kind.UNIT_SERVER, [said.unit_server])
        if not found:
            raise undeclared(said.unit_server)
        key = found[said.unit_server]
        lock_unit_server(unit, key)
        last, lease = sessions_of(unit, [key]).get(key, (None, None))
        admission = admit(
            last,
            lease,
            incarnation=said.incarnation,
            take_over=said.take_over,
            runs_until_us=self._runs_until(unit, lease),
            now_us=unit.now_us,
        )
        missing = missing_datasets(unit, said.classes.values())  # before the counter is locked
        if admission.resumes is not None and lease is not None:
            session = admission.resumes
            renew_as_told(unit, lease, lease_us=self._timing.lease_us)
            told = self._hosting.look(unit, session)
        else:
            if last is not None and lease is not None:
                end_last(unit, last, lease, admission)
            session = new_session(said, key)
            told = self._hosting.prepare(unit, session, hosted_units(unit, key))
            session = begin_session(unit, session, lease_us=self._timing.lease_us)
            check_declared(unit, key)
            self._hosting.take_in(unit, session, told)
        assignments = without_held(told, said.held_fingerprints)
        return Registered(session, assignments, missing, position), told

    def _runs_until(self, unit: UnitOfWork, lease: Lease | None) -> int:
        """When a lease counts as run out: one that no sweep can have judged runs on."""
        if lease is None:
            return 0
        observer, node = observer_and_node(unit)
        if observer.was_blind(unit.now_us, node, self._timing.tolerance_us):
            return unit.now_us + self._timing.lease_us
        return lease.end_us

    async def _declare(self, said: Registering, caller: Caller) -> None:
        """Declares a unit server that came by itself; where two come at once, the second finds
        it declared."""

        def work(unit: UnitOfWork) -> None:
            if not unit.keys.find(Kind.UNIT_SERVER, [said.unit_server]):
                unit.save(UnitServer(id=said.unit_server))

        said_why = replace(caller, reason=caller.reason.strip() or ADOPTED)
        await self._store.transact(work, caller=said_why)


def new_session(said: Registering, unit_server_key: int) -> Session:
    return Session(
        id=str(uuid.uuid4()),
        unit_server=said.unit_server,
        unit_server_key=unit_server_key,
        incarnation=said.incarnation,
        host=said.host,
        address=said.address,
        pid=said.pid,
        version=said.version,
        classes=tuple(said.classes),
        datasets={name: digest for name, digest in said.classes.items() if digest},
    )


def renew_as_told(unit: UnitOfWork, lease: Lease, *, lease_us: int) -> None:
    """Renews the lease of a session that its incarnation is told it has. One that ran out while
    nobody could see waits for the word of a sweep.

    Raises:
        LostRace: it has run out, or ended, while this transaction waited.
    """
    renewal = renew(unit, [lease.session], lease_us=lease_us)
    ran = lease.end_us > unit.now_us
    if lease.session in renewal.ended or (ran and lease.session not in renewal.renewed):
        raise LostRace


def end_last(unit: UnitOfWork, last: Session, lease: Lease, admission: Admission) -> None:
    """Ends the session before, where it has not ended yet. One that ran out ended with its
    lease; that it did is tested again in the writing statement."""
    if admission.ends is None:
        return
    ran_out = admission.ends is EndReason.SUPERSEDED
    end_us = lease.end_us if ran_out else unit.now_us
    ending = Ending(last.id, last.unit_server_key, end_us)
    lapsed_by_us = unit.now_us if ran_out else None
    end_sessions(unit, [ending], admission.ends, lapsed_by_us=lapsed_by_us)


def undeclared(unit_server: str) -> Refused:
    return Refused.precondition(
        "UNDECLARED",
        f"Nobody declared unit server {unit_server!r}. Create it, or run: mds adopt {unit_server}",
        unit_server=unit_server,
    )


def seen(said: Registering) -> Sighting:
    return Sighting(
        unit_server=said.unit_server,
        host=said.host,
        address=said.address,
        pid=said.pid,
        classes=tuple(said.classes),
    )
