"""Keeping in touch: register, attach, and come back from whatever breaks."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import structlog
from mds.v1 import position_pb2, registration_pb2

from control_units import holder
from control_units.attachment import Attachment, AttachStream
from control_units.client import (
    Backoff,
    Client,
    ClientError,
    Refused,
    Unreachable,
    within_request,
)
from control_units.faults import AlreadyRunning, Superseded, Undeclared
from control_units.hosting import HostedClasses, Hosting

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration

REGISTER_TIMEOUT_S = 20.0
"""Of one try; in a boot storm a server may need some time, and it is worth waiting."""

LONGEST_PAUSE_S = 5.0

DEAD_HOLDER_LEASES = 2
"""How many ends of its lease a dead holder is granted: a server writes renewals in batches, so
that the last one may come after the death."""

# After these the unit server must be told everything again.
_REGISTER_AGAIN = frozenset({"SESSION_ENDED", "HISTORY_RESET", "HISTORY_TRIMMED"})
# A server without a database that it can read and write decides as much as one that says nothing.
_UNDECIDED = frozenset({"DATABASE_UNAVAILABLE", "SCHEMA_UNKNOWN", "NEWER_CONTENT"})
# Nothing that waiting could mend.
_HOPELESS = frozenset({"INVALID_ID", "INVALID_FIELD", "MESSAGE_TOO_LARGE"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a unit server says of itself.

    Attributes:
        incarnation: made when the process started; tells a retry from a rival.
        version: of the software that the classes belong to.
    """

    unit_server: str
    version: str = ""
    host: str = field(default_factory=socket.gethostname)
    address: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    incarnation: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Admission:
    """How a unit server wants to be let in.

    Attributes:
        take_over: ends the session of a live holder; only the first time, or two that both
            want it would chase each other for ever.
        waits_undeclared: comes again until somebody declares it; otherwise that is the end.
        reason: for the history.
    """

    take_over: bool = False
    waits_undeclared: bool = True
    reason: str = ""


@dataclass(slots=True)
class _Session:
    """What the server said of the session; empty id: there is none."""

    id: str = ""
    heartbeat_s: float = 5.0
    position: position_pb2.Position = field(default_factory=position_pb2.Position)
    missing_datasets: list[str] = field(default_factory=list)


class Link:
    """Comes and stays in touch with any of the metadata servers.

    Args:
        on_lease_renewed: called with each renewal, the first included.
        on_lease_lost: called when it has run out.
        on_unreachable: called when none of the servers has answered a registration, or all of them
            that they cannot decide about it.
    """

    def __init__(
        self,
        client: Client,
        identity: Identity,
        admission: Admission,
        hosting: Hosting,
        classes: HostedClasses,
        *,
        on_lease_renewed: Callable[[], None],
        on_lease_lost: Callable[[], None],
        on_unreachable: Callable[[], None],
    ) -> None:
        self._client = client
        self._identity = identity
        self._admission = admission
        self._hosting = hosting
        self._classes = classes
        self._on_lease_renewed = on_lease_renewed
        self._on_lease_lost = on_lease_lost
        self._on_unreachable = on_unreachable
        self._session = _Session()
        self._was_registered = False
        self._leases_outwaited = 0
        self._attachment: Attachment | None = None
        self._lease: asyncio.TimerHandle | None = None
        self._registering = Backoff(first=0.2, longest=LONGEST_PAUSE_S)
        self._attaching = Backoff(first=0.1, longest=LONGEST_PAUSE_S)

    @property
    def is_attached(self) -> bool:
        return self._attachment is not None

    async def run(self) -> None:
        """Stays in touch until the good-bye. After a failure it may be called again; the lease
        runs on meanwhile.

        Raises:
            AlreadyRunning: another live process holds this unit server.
            Superseded: another process has taken its place.
            Undeclared: nobody declared it, and it shall not wait.
            Refused: its registration cannot be right.
        """
        while True:
            await self._register()
            if await self._stay():
                return

    def close(self) -> None:
        """It ends for good: there is no lease to be lost any more."""
        if self._lease is not None:
            self._lease.cancel()

    def say_goodbye(self, message: str) -> None:
        """Ends the session when all reports are written; `run` then returns."""
        if self._attachment is not None:
            self._attachment.say_goodbye(message)

    async def _register(self) -> None:
        undecided: set[str] = set()
        while True:
            asked, address = time.monotonic(), self._client.address
            request_id = uuid.uuid4().hex
            try:
                with within_request(request_id):
                    response = await self._client.registration.Register(
                        self._request(), timeout=REGISTER_TIMEOUT_S
                    )
            except Unreachable as failure:
                self._leave(failure.address, undecided)
                await self._pause(failure, self._registering, "registration_unanswered")
            except Refused as refused:
                self._check_hope(refused)
                is_left = refused.reason in _UNDECIDED and not self._leave(address, undecided)
                await self._pause(
                    refused, self._registering, "registration_refused", is_left=is_left
                )
            else:
                self._registering.reset()
                self._take_registration(response, asked, request_id)
                return

    def _leave(self, address: str, undecided: set[str]) -> bool:
        """Goes on to another server after one that has decided nothing, one more of these; whether
        no other is left."""
        self._client.leave(address)
        undecided.add(address)
        is_alone = undecided.issuperset(self._client.addresses)
        if is_alone:
            self._on_unreachable()
        return is_alone

    def _request(self) -> registration_pb2.RegisterRequest:
        identity = self._identity
        return registration_pb2.RegisterRequest(
            unit_server=f"unit_servers/{identity.unit_server}",
            incarnation=identity.incarnation,
            classes=self._classes.told(),
            host=identity.host,
            address=identity.address,
            pid=identity.pid,
            version=identity.version,
            held_fingerprints=self._hosting.held_fingerprints(),
            take_over=self._admission.take_over and not self._was_registered,
            reason=self._admission.reason,
        )

    def _check_hope(self, refused: Refused) -> None:
        unit_server = self._identity.unit_server
        if refused.reason == "ALREADY_RUNNING":
            if self._may_outwait(refused):
                return
            described = holder.description(refused)
            message = f"Unit server {unit_server} is held by another process: {described}"
            if self._was_registered or self._hosting.units:
                raise Superseded(f"{message}. This one lets go of its hardware.") from refused
            raise AlreadyRunning(
                f"{message}. Stop that one, wait for the end of its lease, or take over "
                "explicitly (take_over=True, `--take-over`)."
            ) from refused
        if refused.reason == "UNDECLARED" and not self._admission.waits_undeclared:
            raise Undeclared(
                f"Nobody declared unit server {unit_server}; `mds adopt {unit_server}` does."
            ) from refused
        if refused.reason in _HOPELESS:
            raise refused

    def _may_outwait(self, refused: Refused) -> bool:
        """Whether the holder is dead, so that its lease has only to run out.

        A holder whose lease is renewed again and again lives, whatever its process id says here
        (containers may share a host's name).
        """
        if self._was_registered or self._leases_outwaited >= DEAD_HOLDER_LEASES:
            return False
        self._leases_outwaited += 1
        return holder.has_ended(refused, self._identity.host)

    def _take_registration(
        self, response: registration_pb2.RegisterResponse, asked: float, request_id: str
    ) -> None:
        is_new = response.session != self._session.id
        self._session = _Session(
            id=response.session,
            heartbeat_s=_seconds(response.heartbeat_period) or 5.0,
            position=position_pb2.Position.FromString(response.position.SerializeToString()),
            missing_datasets=list(response.missing_datasets),
        )
        # After an outage a lease counts for one lease more: who comes back within a heartbeat
        # finds its session.
        self._attaching.longest = min(LONGEST_PAUSE_S, self._session.heartbeat_s)
        self._was_registered = True
        self._hosting.replace_all(response.assignments)
        if is_new:
            self._hosting.outbox.begin_anew()
        # The lease began some time after it was asked for, not when the answer came.
        self._renew(_seconds(response.lease), since=asked)
        log.info(
            "registered",
            request_id=request_id,
            unit_server=self._identity.unit_server,
            server=self._client.address,
            session=response.session,
            control_units=len(response.assignments),
            revision=response.position.revision,
        )

    async def _stay(self) -> bool:
        """Attaches again and again; True after the good-bye, False when it must register."""
        while True:
            stream = cast("AttachStream", self._client.registration.Attach())
            self._attachment = Attachment(
                stream,
                self._hosting,
                self._classes,
                heartbeat_s=self._session.heartbeat_s,
                on_word=self._take_word,
            )
            missing, self._session.missing_datasets = self._session.missing_datasets, []
            begun = time.monotonic()
            try:
                await self._attachment.run(self._session.id, self._session.position, missing)
            except ClientError as failure:
                self._attachment = None  # already during the pause: nobody hears a good-bye
                if isinstance(failure, Unreachable):
                    self._client.leave(failure.address)
                if time.monotonic() - begun > self._session.heartbeat_s:
                    self._attaching.reset()  # this stream was well, once
                if isinstance(failure, Refused) and failure.reason in _REGISTER_AGAIN:
                    log.warning(
                        "session_over",
                        reason=failure.reason,
                        message=failure.message,
                        request_id=failure.request_id,
                    )
                    return False
                self._session.missing_datasets = missing
                await self._pause(failure, self._attaching, "stream_broken")
            else:
                return True
            finally:
                self._attachment = None

    def _take_word(self, word: registration_pb2.AttachResponse, lease_since: float | None) -> None:
        if word.HasField("position"):
            # A copy: a part of a message keeps all of it in memory.
            self._session.position.CopyFrom(word.position)
        if lease_since is not None:
            self._renew(_seconds(word.lease), since=lease_since)
        if word.assignments:
            self._hosting.assign(word.assignments)
        if word.removed:
            self._hosting.remove(word.removed)
        for refusal in word.refusals:
            log.warning(
                "values_refused" if refusal.of_values else "report_refused",
                control_unit=refusal.control_unit,
                dataset=refusal.dataset_hash,
                message=refusal.status.message,
            )
        if word.acknowledged_sequence:
            # The server knows by now that units ran before it was asked.
            self._hosting.fence(unfenced=False)

    def _renew(self, seconds: float, *, since: float) -> None:
        left = since + seconds - time.monotonic()
        if self._lease is not None:
            if left <= 0:
                return  # it is over, and so is what was promised before it
            self._lease.cancel()
        self._lease = asyncio.get_running_loop().call_later(max(0.0, left), self._on_lease_lost)
        if left > 0:
            self._on_lease_renewed()

    async def _pause(
        self, failure: ClientError, backoff: Backoff, event: str, *, is_left: bool = False
    ) -> None:
        """As long as the server asks, unless it is left for one that has not been asked yet."""
        asked = failure.retry_after if isinstance(failure, Refused) and not is_left else None
        seconds = backoff.next(at_least=asked or 0.0)
        log.warning(
            event,
            unit_server=self._identity.unit_server,
            error=str(failure),
            request_id=failure.request_id,
            again_in_s=round(seconds, 2),
            **self._advice(failure),
        )
        await asyncio.sleep(seconds)

    def _advice(self, failure: ClientError) -> dict[str, str]:
        """What people can do about it, or need not."""
        reason = failure.reason if isinstance(failure, Refused) else ""
        if reason == "UNDECLARED":
            return {"advice": f"declare it: mds adopt {self._identity.unit_server}"}
        if reason in {"UNAUTHENTICATED", "ROLE_REQUIRED"}:
            return {"advice": "it goes on when MDS_TOKEN_FILE has a token for programs"}
        if reason == "ALREADY_RUNNING":
            return {"advice": "that process has ended: this one waits until its lease has, too"}
        return {}


def _seconds(duration: Duration) -> float:
    return duration.ToNanoseconds() / 1e9
