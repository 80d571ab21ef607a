"""What every call goes through, on whichever wire it comes: its name in the logs, its refusals
as statuses, its figures.

Servicers raise `Refused` and return messages; nothing else in the server knows how a refusal
travels.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

import grpc
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

from metadata_server.api.door import Door, Passage, client_name
from metadata_server.api.errors import unexpected
from metadata_server.api.gate import Stream
from metadata_server.api.peers import FORWARDED_FOR
from metadata_server.api.request_ids import (
    REQUEST_ID,
    check_request_id,
    name_of_call,
    present_request_id,
)
from metadata_server.api.traces import PARENT, CallTraces
from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import Asker, Rank
from metadata_server.services.watching.reaching import Reaching

PRINCIPAL, CLIENT = "mds-principal", "mds-client"
AUTHORIZATION = "authorization"
MINIMUM_REVISION = "mds-min-revision"
POSITION = "mds-position"
USER_AGENT = "user-agent"
GRPC, REST, CHAOS = "grpc", "rest", "chaos"
"""Faces of the protocol."""
FAULT = grpc.StatusCode.INTERNAL.name
Pair = tuple[str, str | bytes]
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
log = structlog.get_logger()


class Context(Protocol):
    """What a call knows beside its request: gRPC's context is one, and REST's."""

    def invocation_metadata(self) -> Iterable[Pair] | None: ...

    def set_trailing_metadata(self, pairs: tuple[Pair, ...], /) -> None: ...

    def peer(self) -> str: ...


calling: ContextVar[Call] = ContextVar("calling")
"""The call that the present task serves."""
IDS = ("request_id", "within")
"""As lines of the log have them."""
CALLED_OFF = (grpc.aio.AbortError, asyncio.CancelledError, GeneratorExit)
NOBODY = Principal("anonymous")
C = TypeVar("C", bound=Context)
Refuse = Callable[[C, Refused], Awaitable[str]]
"""Ends a call with a refusal; gives the name of its code."""


class CallFigures:
    """How many calls came, how they ended, how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(
            "mds_calls", "Calls that ended.", ["method", "code", "face"], registry=registry
        )
        self.seconds = Histogram(
            "mds_call_seconds",
            "Time of unary calls.",
            ["method", "face"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.refused = Counter(
            "mds_refused",
            "Calls that were refused.",
            ["method", "reason", "face"],
            registry=registry,
        )


class Calls:
    """Wraps handlers of one face, so that each call of it is logged, counted, and refused well."""

    def __init__(
        self,
        figures: CallFigures,
        reaching: Reaching,
        door: Door,
        *,
        face: str,
        refuse: Refuse[Any],
        traces: CallTraces | None = None,
    ) -> None:
        self._door = door
        self._traces = traces or CallTraces()
        self._figures = figures
        self._reaching = reaching
        self._face = face
        self._refuse = refuse
        self._ended: dict[tuple[str, str], Counter] = {}
        self._seconds: dict[str, Histogram] = {}

    def unary(
        self,
        method: str,
        handle: Any,
        size_of: Callable[[Any], int],
        *,
        becomes: Iterable[str] = (),
    ) -> Callable[[Any, Any], Awaitable[Any]]:
        """
        Args:
            size_of: tells how large a request is, bytes; or refuses it.
            becomes: methods of which it may turn out to be one when it is read.
        """
        door, rank = self._door, self._door.rank_of(method)
        for name in (method, *becomes):
            self._ended_as(name, FAULT)

        async def call(request: Any, context: Context) -> Any:
            one = Call(method, context, door)
            one.trace = self._traces.said().get(PARENT, "")
            limit = asyncio.timeout(door.call_s)
            try:
                async with limit:
                    size = size_of(request)
                    one.passage.begin_call(await self._admitted(one, rank, size), size)
                    await self._reach(one)
                    return await handle(request, context)
            except CALLED_OFF:
                one.code = "CANCELLED"
                raise
            except Refused as refused:
                await self._end_with(one, refused)
            except Exception as error:  # the top of every call: one line, no detail outside
                if limit.expired():
                    await self._end_with(one, door.took_too_long(one.method))
                else:
                    log.exception("call_failed", method=one.method)
                    await self._end_with(one, unexpected(error))
            finally:
                if one.method != method:
                    self._traces.turns_out(one.method)
                self._traces.ends(one.code, reason=one.reason, **one.ids)
                self._seconds_of(one.method).observe(self._end(one))

        return self._traces.around(method, self._face, call)

    def streaming(
        self, method: str, handle: Any, size_of: Callable[[Any], int]
    ) -> Callable[[Any, Any], AsyncIterator[Any]]:
        door, rank = self._door, self._door.rank_of(method)
        of_unit_server = door.of_unit_servers(method)
        self._ended_as(method, FAULT)

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            one = Call(method, context, door)
            opening = self._traces.opening(method, self._face, context)
            stream: Stream | None = None
            try:
                size = size_of(request)
                client = await self._admitted(one, rank, size)
                one.passage.begin_stream(client, size, of_unit_server=of_unit_server)
                with door.gate.streaming(one.principal) as stream:
                    await self._reach(one)
                    async with aclosing(handle(request, context)) as messages:
                        async for message in messages:
                            if opening.is_open:
                                opening.end(one.code, **one.ids)
                            yield message
            except CALLED_OFF as error:
                refused = ended_by_gate(stream, error)
                if refused is None:
                    one.code = "CANCELLED"
                    raise
                await self._end_with(one, refused)
            except Refused as refused:
                await self._end_with(one, refused)
            except Exception as error:  # the top of every call: one line, no detail outside
                log.exception("call_failed", method=method)
                await self._end_with(one, unexpected(error))
            finally:
                opening.end(one.code, reason=one.reason, **one.ids)
                self._end(one)

        return call

    async def _admitted(self, one: Call, rank: Rank, size: int) -> str:
        """Asks who calls, and says for whom the database is used from here on; the client's
        name."""
        door = self._door
        address = door.peers.address_of(one.context.peer(), one.metadata.get(FORWARDED_FOR, ""))
        # Whose token it is may have to be looked up: for nobody in particular yet.
        one.passage.ask_as(Asker(address, Rank.ARRIVALS))
        one.admit(await door.gate.admit(one.method, one.metadata, size=size))
        client = client_name(one.principal, address)
        one.passage.ask_as(Asker(client, rank, is_patient=rank is Rank.LIFE))
        return client

    async def _reach(self, one: Call) -> None:
        """Waits until this replica sees the revision that the caller has seen."""
        if minimum := one.metadata.get(MINIMUM_REVISION):
            await self._reaching.reach(minimum)

    def _seconds_of(self, method: str) -> Histogram:
        """Made by the first call: a histogram for each of hundreds of methods, of which most are
        never called, takes time at each start, and at each look of Prometheus."""
        child = self._seconds.get(method)
        if child is None:
            child = self._figures.seconds.labels(method, self._face)
            self._seconds[method] = child
        return child

    def _ended_as(self, method: str, code: str) -> Counter:
        """Made by the first call that ends so. Only of faults there is one of each method from the
        start: an alert sees the change of a counter, and not that one begins with 1."""
        child = self._ended.get((method, code))
        if child is None:
            child = self._figures.ended.labels(method, code, self._face)
            self._ended[method, code] = child
        return child

    async def _end_with(self, one: Call, refused: Refused) -> None:
        one.reason = refused.reason
        one.code = await self._refuse(one.context, refused)

    def _end(self, one: Call) -> float:
        """Counts and logs a call; its seconds."""
        seconds = time.perf_counter() - one.began
        self._ended_as(one.method, one.code).inc()
        if one.reason:
            self._figures.refused.labels(one.method, one.reason, self._face).inc()
        log.info(
            "call",
            **one.ids,
            method=one.method,
            face=self._face,
            code=one.code,
            reason=one.reason,
            principal=one.principal.name,
            ms=round(seconds * 1000, 1),
        )
        one.leave()
        return seconds


def nothing(_: Any) -> int:
    """The size of a request that comes in parts, or whose body was read before: whoever keeps
    parts counts them."""
    return 0


def ended_by_gate(stream: Stream | None, error: BaseException) -> Refused | None:
    """Why the gate called a stream off, which goes on to say so; None: it did not."""
    task = asyncio.current_task()
    if stream is None or task is None or not isinstance(error, asyncio.CancelledError):
        return None
    if stream.refused is not None:
        task.uncancel()
    return stream.refused


class Call:
    """One call under way; what is logged meanwhile in its task has its ids.

    Attributes:
        method: what is called; who reads a request may find that it is another one.
        named: what it is known by, in the log, in the history and to its caller.
        passage: what it holds.
        principal: who calls; nobody, until they are admitted.
        code: how it ends; with a `reason`, if it is refused.
        trace: where it stands in a trace, as W3C's `traceparent`; empty: in none.
    """

    __slots__ = (
        "_calling",
        "began",
        "code",
        "context",
        "metadata",
        "method",
        "named",
        "passage",
        "principal",
        "reason",
        "trace",
    )

    def __init__(self, method: str, context: Context, door: Door) -> None:
        self.method = method
        self.passage = Passage(door.admission)
        self.context = context
        self.metadata = metadata_of(context)
        self.principal = NOBODY
        self.code, self.reason = "OK", ""
        self.trace = ""
        self.began = time.perf_counter()
        self.named = name_of_call()
        self.named.begin(self.metadata)
        self._calling = calling.set(self)
        self.bind()
        self.tell()

    @property
    def ids(self) -> dict[str, str]:
        """As they stand in log lines."""
        named = self.named
        within = {"within": named.within} if named.within else {}
        return {"request_id": named.request_id, **within}

    def admit(self, principal: Principal) -> None:
        self.principal = principal

    def take(self, request_id: str) -> None:
        """Is known by the id that a change brings, from now on."""
        self.named.take(request_id)
        self.bind()
        self.tell()

    def bind(self) -> None:
        """Has what is logged in this task have its ids."""
        structlog.contextvars.bind_contextvars(**self.ids)

    def tell(self) -> None:
        """Sends its id in its trailing metadata."""
        self.context.set_trailing_metadata(((REQUEST_ID, self.named.request_id),))

    def leave(self) -> None:
        """What comes next in this task is another call, or none. A stream that nobody reads any
        more may be ended by another task, which has calls of its own."""
        self.passage.end()
        if calling.get(None) is not self:
            return
        with suppress(ValueError):  # that task began in this one, and has a copy of what is set
            calling.reset(self._calling)
        structlog.contextvars.unbind_contextvars(*IDS)


def metadata_of(context: Context) -> dict[str, str]:
    """The text metadata that a call came with."""
    pairs = context.invocation_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def client_of(context: Context) -> str:
    """The program that calls, as it says of itself; else the library that it calls with."""
    metadata = metadata_of(context)
    return (metadata.get(CLIENT, "").strip() or metadata.get(USER_AGENT, ""))[:255]


def caller_of(context: Context, method: str, request: Any, payload_hash: str) -> Caller:
    """Who changes something, why, and under which request id; reason and id stand in the request.
    One without an id is known by that of its call, and not safe to repeat.

    Raises:
        Refused: INVALID_FIELD, for an id that cannot be.
    """
    check_request_id(request.request_id)
    call = calling.get()
    call.take(request.request_id)
    return Caller(
        principal=call.principal,
        method=method,
        reason=request.reason,
        request_id=call.named.request_id,
        is_repeatable=bool(request.request_id),
        payload_hash=payload_hash,
        client=client_of(context),
        trace=call.trace,
    )


def tell_position(context: Context, position: Position) -> None:
    """Sends the position of a reply in its trailing metadata."""
    text = f"{position.store_id}/{position.epoch}/{position.revision}"
    context.set_trailing_metadata(((REQUEST_ID, present_request_id()), (POSITION, text)))
