"""What every call passes before it is served: who calls, how much they have under way, and in
which rank they wait for the database."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from contextvars import Token
from dataclasses import dataclass, field

from metadata_server.api.gate import Gate
from metadata_server.api.peers import Peers
from metadata_server.domain.access.role import Access, Role
from metadata_server.domain.change import Principal
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import Asker, Rank
from metadata_server.services.admission import Admission, Client
from metadata_server.store.turns import asking

BEATS = frozenset({"AgentReports.ReportAgent"})
"""Calls that keep alive; beats of unit servers come in their streams."""
ARRIVALS = "Registration."
READING = Access(Role.VIEWER)


class Passage:
    """What a call holds until it ends."""

    __slots__ = ("_admission", "_asking", "_client", "_is_stream", "_kept", "_of_unit_server")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._client: Client | None = None
        self._is_stream = self._of_unit_server = False
        self._kept = 0
        self._asking: Token[Asker] | None = None

    def ask_as(self, asker: Asker) -> None:
        """For whom the present task uses the database from now on."""
        token = asking.set(asker)
        self._asking = self._asking or token

    def begin_call(self, name: str, size: int) -> None:
        """
        Raises:
            Refused: TOO_BUSY, like all here.
        """
        self._client = self._admission.call(name)
        self.keep(size)

    def begin_stream(self, name: str, size: int, *, of_unit_server: bool) -> None:
        self._client = self._admission.stream(name, of_unit_server=of_unit_server)
        self._is_stream, self._of_unit_server = True, of_unit_server
        self.keep(size)

    def keep(self, size: int) -> None:
        """Bytes have come that the call keeps until it ends.

        Raises:
            Refused: TOO_BUSY; MESSAGE_TOO_LARGE, for a call that keeps more than ever fits.
        """
        if size and self._client is not None:
            if self._kept:
                self._admission.check_call(self._kept + size)
            self._admission.keep(self._client, size)
            self._kept += size

    def end(self) -> None:
        if self._asking is not None:
            with suppress(ValueError):  # a stream that another task ends, for which nothing asks
                asking.reset(self._asking)
        if self._client is None:
            return
        if self._kept:
            self._admission.release(self._client, self._kept)
        if self._is_stream:
            self._admission.end_stream(self._client, of_unit_server=self._of_unit_server)
        else:
            self._admission.end_call(self._client)


@dataclass(frozen=True, slots=True)
class Door:
    """One for all faces.

    Attributes:
        access: what the protocol says of methods.
        call_s: how long a call with one answer may take.
    """

    gate: Gate
    admission: Admission
    access: Mapping[str, Access] = field(default_factory=dict)
    peers: Peers = field(default_factory=Peers)
    call_s: float = 120.0

    def rank_of(self, method: str) -> Rank:
        """In which the calls of a method wait."""
        if method in BEATS:
            return Rank.LIFE
        if method.startswith(ARRIVALS):
            return Rank.ARRIVALS
        is_single = self._changes(method) or method.rpartition(".")[2].startswith("Get")
        return Rank.PEOPLE if is_single else Rank.BULK

    def of_unit_servers(self, method: str) -> bool:
        """Whether unit servers and agents make calls of a method."""
        return self.access.get(method, READING).programs

    def took_too_long(self, method: str) -> Refused:
        """What a call is told that has not ended in time."""
        told = f"This call has taken {self.call_s:g} s, as long as one may (MDS_CALL_S)."
        if self._changes(method):
            return Refused.busy(
                "OUTCOME_UNKNOWN",
                f"{told} It may be done all the same: send it again, with the same request id.",
                retry_after_ms=1_000,
            )
        return Refused.pressure("TOO_BUSY", f"{told} Ask for less, or later.")

    def _changes(self, method: str) -> bool:
        access = self.access.get(method, READING)
        return access.programs or access.role is not Role.VIEWER


def client_name(principal: Principal, address: str) -> str:
    """How a client is told apart: by the token that it has shown, or by its address. A token for
    programs is shared by many, on many machines."""
    if not principal.authenticated:
        return f"address {address}"
    if principal.program:
        return f"program {principal.name} at {address}"
    return f"principal {principal.name}"
