"""Sessions: runs of unit servers, as long as they are in touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.state import Contact
from metadata_server.domain.names import Kind


class EndReason(StrEnum):
    """Why a session, and with it the lives in it, ended."""

    GOOD_BYE = "GOOD_BYE"
    LEASE_ENDED = "LEASE_ENDED"
    SUPERSEDED = "SUPERSEDED"
    TAKEN_OVER = "TAKEN_OVER"
    REMOVED = "REMOVED"


MAXIMUM_SESSION_ID = 36


def is_session_id(text: str) -> bool:
    """Whether a text can be the id of a session at all."""
    return 0 < len(text) <= MAXIMUM_SESSION_ID and text.isascii()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of a unit server: the content of a UnitServerStatus.

    Attributes:
        id: made by the server, at random; empty in the status of a server never seen.
        unit_server: id of the unit server.
        unit_server_key: its key.
        incarnation: made by the process when it starts; tells a retry from a rival.
        classes: that it can build, without a leading `::`.
        datasets: hash of the dataset that units of a class publish, by class; a class whose
            dataset is not yet known is absent.
        contact: as last decided by a sweep.
        conditions: that hold of the unit server now.
    """

    kind: ClassVar[Kind] = Kind.UNIT_SERVER_STATUS

    id: str
    unit_server: str
    unit_server_key: int
    incarnation: str = ""
    host: str = ""
    address: str = ""
    pid: int = 0
    version: str = ""
    classes: tuple[str, ...] = ()
    datasets: Mapping[str, str] = field(default_factory=dict)
    start_time_us: int = 0
    end_time_us: int | None = None
    end_reason: EndReason | None = None
    contact: Contact = Contact.NONE
    revision: int = 0
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Lease:
    """How long a session counts as alive without word, by the database's clock.

    Attributes:
        end_us: when it runs out.
        beat_us: when word last came.
        ended: whether the session has been ended, by whatever cause.
    """

    session: str
    end_us: int
    beat_us: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Observer:
    """What the sweeps know of themselves.

    Attributes:
        sweep_us: when the last sweep looked; 0: none ever did.
        node: of the database, that the last sweep was made on.
        blind_since_us: beats from before this time say nothing; 0: never blind.
        blind_until_us: until then nobody is declared lost.
    """

    sweep_us: int
    node: str
    blind_since_us: int = 0
    blind_until_us: int = 0

    def was_blind(self, now_us: int, node: str, tolerance_us: int) -> bool:
        """Whether the time since the last sweep cannot be judged: nobody looked for too long,
        the clock went backward, or it is another node's clock."""
        return node != self.node or not 0 <= now_us - self.sweep_us <= tolerance_us

    def looks(self, now_us: int, node: str, *, tolerance_us: int, lease_us: int) -> Observer:
        """The observer after a sweep at `now_us`; one that was blind gives everybody a whole
        lease of grace."""
        if self.was_blind(now_us, node, tolerance_us):
            return Observer(now_us, node, now_us, now_us + lease_us)
        return Observer(now_us, node, self.blind_since_us, self.blind_until_us)


def due_contact(lease: Lease, observer: Observer, now_us: int, suspect_after_us: int) -> Contact:
    """The contact of an open session, by its lease alone.

    While the observer was just blind, a session that has not been heard since is UNKNOWN:
    nobody can say.
    """
    blind = now_us < observer.blind_until_us
    if blind and lease.beat_us < observer.blind_since_us:
        return Contact.UNKNOWN
    if lease.end_us <= now_us and not blind:
        return Contact.LOST
    return Contact.SUSPECT if now_us - lease.beat_us > suspect_after_us else Contact.ALIVE


def contact_of(session: Session, lease: Lease | None, observer: Observer, now_us: int) -> Contact:
    """The contact of a session as it is told at `now_us`: what was last written, save that a
    blindness counts from when it was noticed."""
    if session.end_time_us is not None or lease is None or lease.ended:
        return session.contact
    blind = now_us < observer.blind_until_us and lease.beat_us < observer.blind_since_us
    return Contact.UNKNOWN if blind else session.contact
