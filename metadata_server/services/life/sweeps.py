"""Looks over the leases: who is in touch, who is lost; and whether anybody could tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from metadata_server.domain.life.session import EndReason, Observer, due_contact
from metadata_server.domain.life.state import Contact
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused
from metadata_server.store.life.endings import Ending, end_sessions, tell_contacts, tell_endings
from metadata_server.store.life.leases import (
    OpenLease,
    grant_whole_leases,
    leases_to_judge,
    write_contact,
)
from metadata_server.store.life.observer import claim_sweep, observer_and_node
from metadata_server.store.orchestration.maintenances import tell_turns
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did.

    Attributes:
        changed: sessions by the contact that they have now.
        went_blind: nobody had looked for too long; everybody has a whole lease of grace.
    """

    changed: dict[Contact, int]
    went_blind: bool


class Sweeps:
    """One replica at a time sweeps; which one, the observer row decides.

    Args:
        on_lost: is told of each session that a sweep of this replica has ended.

    Attributes:
        leases_ended: how many of those there were.
    """

    def __init__(self, store: Store, timing: Timing, *, on_lost: Callable[[str], None]) -> None:
        self._store = store
        self._timing = timing
        self._on_lost = on_lost
        self._failing = False
        self.leases_ended = 0

    async def run(self) -> None:
        """Sweeps until it is cancelled."""
        while True:
            try:
                await self.sweep()
                self._failing = False
            except Refused as refused:
                if not self._failing:
                    log.warning("sweep_waits", reason=refused.reason)
                self._failing = True
            except Exception:  # the top of a background loop
                log.exception("sweep_failed")
            await asyncio.sleep(self._timing.sweep_us / 1_000_000)

    async def sweep(self) -> Swept | None:
        """Sweeps once; None: another replica has just done so.

        Raises:
            Refused: DATABASE_UNAVAILABLE, CONTENTION.
        """
        lost: list[str] = []

        def work(unit: UnitOfWork) -> Swept | None:
            lost.clear()
            before, node = observer_and_node(unit)
            if self._is_fresh(before, unit.now_us, node):
                return None
            after = before.looks(
                unit.now_us,
                node,
                tolerance_us=self._timing.tolerance_us,
                lease_us=self._timing.lease_us,
            )
            if not claim_sweep(unit, before, after):
                return None
            went_blind = after.blind_since_us == unit.now_us
            if went_blind:
                grant_whole_leases(unit, lease_us=self._timing.lease_us)
            if before.sweep_us:
                tell_turns(unit, before.sweep_us)
            return Swept(self._judge(unit, after, lost), went_blind)

        swept = (await self._store.transact(work)).value
        self.leases_ended += len(lost)
        for session in lost:
            self._on_lost(session)
        if swept is not None and (swept.went_blind or swept.changed):
            counts = {contact.lower(): count for contact, count in swept.changed.items()}
            log.info("contacts_changed", was_blind=swept.went_blind, **counts)
        return swept

    def _is_fresh(self, before: Observer, now_us: int, node: str) -> bool:
        """Whether a sweep was made a moment ago, on this node."""
        return (
            before.node == node and 0 <= now_us - before.sweep_us < self._timing.sweep_us * 9 // 10
        )

    def _judge(self, unit: UnitOfWork, observer: Observer, lost: list[str]) -> dict[Contact, int]:
        """Writes the contacts that differ from what is due: nobody's is known where nobody has
        looked."""
        suspect_us = self._timing.suspect_us
        is_blind = observer.blind_since_us == unit.now_us
        silent_before_us = unit.now_us if is_blind else unit.now_us - suspect_us
        differing: dict[Contact, list[OpenLease]] = {}
        for each in leases_to_judge(unit, silent_before_us=silent_before_us):
            due = due_contact(each.lease, observer, unit.now_us, suspect_us)
            if due is not each.contact:
                differing.setdefault(due, []).append(each)
        over = differing.pop(Contact.LOST, [])
        for contact, leases in differing.items():
            names = [each.lease.session for each in leases]
            if write_contact(unit, names, contact) != len(names):
                raise LostRace
        self._end(unit, over)
        tell_contacts(unit, contacts_of(differing))
        lost.extend(each.lease.session for each in over)
        counts = {contact: len(leases) for contact, leases in differing.items()}
        return counts | ({Contact.LOST: len(over)} if over else {})

    def _end(self, unit: UnitOfWork, over: Iterable[OpenLease]) -> None:
        """Ends sessions at the time when their leases ran out."""
        endings = [
            Ending(each.lease.session, each.unit_server_key, each.lease.end_us) for each in over
        ]
        if endings:
            end_sessions(unit, endings, EndReason.LEASE_ENDED, lapsed_by_us=unit.now_us)
            tell_endings(unit, endings, EndReason.LEASE_ENDED)


def contacts_of(
    differing: dict[Contact, list[OpenLease]],
) -> dict[int, tuple[str, Contact]]:
    """Session and contact by key of the unit server."""
    return {
        each.unit_server_key: (each.lease.session, contact)
        for contact, leases in differing.items()
        for each in leases
    }
