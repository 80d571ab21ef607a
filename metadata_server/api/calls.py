"""What every call goes through, on whichever wire it comes: its name in the logs, its refusals
as statuses, its figures.

Servicers raise `Refused` and return messages; nothing else in the server knows how a refusal
travels.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from contextvars import ContextVar, Token
from typing import Any, Protocol, TypeVar

import grpc
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

from metadata_server.api.errors import unexpected
from metadata_server.api.gate import Gate, Stream
from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.reaching import Reaching

PRINCIPAL, CLIENT, REQUEST_ID = "mds-principal", "mds-client", "mds-request-id"
AUTHORIZATION = "authorization"
MINIMUM_REVISION = "mds-min-revision"
POSITION = "mds-position"
USER_AGENT = "user-agent"
GRPC, REST, CHAOS = "grpc", "rest", "chaos"
"""Faces of the protocol."""
Pair = tuple[str, str | bytes]
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
log = structlog.get_logger()


class Context(Protocol):
    """What a call knows beside its request: gRPC's context is one, and REST's."""

    def invocation_metadata(self) -> Iterable[Pair] | None: ...

    def set_trailing_metadata(self, pairs: tuple[Pair, ...], /) -> None: ...


acting: ContextVar[Principal] = ContextVar("acting")
"""Who makes the call that the present task serves."""
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
        gate: Gate,
        *,
        face: str,
        refuse: Refuse[Any],
    ) -> None:
        self.gate = gate
        self._figures = figures
        self._reaching = reaching
        self._face = face
        self._refuse = refuse
        self._ended: dict[tuple[str, str], Counter] = {}

    def unary(self, method: str, handle: Any) -> Callable[[Any, Any], Awaitable[Any]]:
        seconds = self._figures.seconds.labels(method, self._face)

        async def call(request: Any, context: Context) -> Any:
            one = Call(method, context)
            try:
                one.admit(await self.gate.admit(method, one.metadata))
                await self._reach(one)
                return await handle(request, context)
            except CALLED_OFF:
                one.code = "CANCELLED"
                raise
            except Refused as refused:
                await self._end_with(one, refused)
            except Exception as error:  # the top of every call: one line, no detail outside
                log.exception("call_failed", method=method)
                await self._end_with(one, unexpected(error))
            finally:
                seconds.observe(self._end(one))

        return call

    def streaming(self, method: str, handle: Any) -> Callable[[Any, Any], AsyncIterator[Any]]:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            one = Call(method, context)
            stream: Stream | None = None
            try:
                one.admit(await self.gate.admit(method, one.metadata))
                with self.gate.streaming(one.principal) as stream:
                    await self._reach(one)
                    async with aclosing(handle(request, context)) as messages:
                        async for message in messages:
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
                self._end(one)

        return call

    async def _reach(self, one: Call) -> None:
        """Waits until this replica sees the revision that the caller has seen."""
        if minimum := one.metadata.get(MINIMUM_REVISION):
            await self._reaching.reach(minimum)

    async def _end_with(self, one: Call, refused: Refused) -> None:
        one.reason = refused.reason
        one.code = await self._refuse(one.context, refused)

    def _end(self, one: Call) -> float:
        """Counts and logs a call; its seconds."""
        seconds = time.perf_counter() - one.began
        child = self._ended.get((one.method, one.code))
        if child is None:
            child = self._figures.ended.labels(one.method, one.code, self._face)
            self._ended[one.method, one.code] = child
        child.inc()
        if one.reason:
            self._figures.refused.labels(one.method, one.reason, self._face).inc()
        log.info(
            "call",
            method=one.method,
            face=self._face,
            code=one.code,
            reason=one.reason,
            principal=one.principal.name,
            ms=round(seconds * 1000, 1),
        )
        one.leave()
        return seconds


def ended_by_gate(stream: Stream | None, error: BaseException) -> Refused | None:
    """Why the gate called a stream off, which goes on to say so; None: it did not."""
    task = asyncio.current_task()
    if stream is None or task is None or not isinstance(error, asyncio.CancelledError):
        return None
    if stream.refused is not None:
        task.uncancel()
    return stream.refused


class Call:
    """One call under way; what is logged meanwhile in its task has its id.

    Attributes:
        principal: who calls; nobody, until they are admitted.
        code: how it ends; with a `reason`, if it is refused.
    """

    __slots__ = (
        "_acting",
        "_tokens",
        "began",
        "code",
        "context",
        "metadata",
        "method",
        "principal",
        "reason",
    )

    def __init__(self, method: str, context: Context) -> None:
        self.method = method
        self.context = context
        self.metadata = metadata_of(context)
        self.principal = NOBODY
        self._acting: Token[Principal] | None = None
        self.code, self.reason = "OK", ""
        self.began = time.perf_counter()
        # For the log alone: no secret, and the system's own source costs as much as the call.
        request_id = self.metadata.get(REQUEST_ID) or f"{random.getrandbits(128):032x}"
        self._tokens = structlog.contextvars.bind_contextvars(request_id=request_id[:64])

    def admit(self, principal: Principal) -> None:
        self.principal = principal
        self._acting = acting.set(principal)

    def leave(self) -> None:
        """What comes next in this task is another call, or none."""
        structlog.contextvars.reset_contextvars(**self._tokens)
        if self._acting is not None:
            acting.reset(self._acting)


def metadata_of(context: Context) -> dict[str, str]:
    """The text metadata that a call came with."""
    pairs = context.invocation_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def client_of(context: Context) -> str:
    """The program that calls, as it says of itself; else the library that it calls with."""
    metadata = metadata_of(context)
    return (metadata.get(CLIENT, "").strip() or metadata.get(USER_AGENT, ""))[:255]


def caller_of(context: Context, method: str, request: Any, payload_hash: str) -> Caller:
    """Who changes something, why, and under which request id; both stand in the request."""
    if len(request.request_id) > MAXIMUM_REQUEST_ID:
        raise Refused.invalid(
            "INVALID_FIELD",
            f"request_id has {len(request.request_id)} characters; right would be at most "
            f"{MAXIMUM_REQUEST_ID}.",
            field="request_id",
        )
    return Caller(
        principal=acting.get(),
        method=method,
        reason=request.reason,
        request_id=request.request_id,
        payload_hash=payload_hash,
        client=client_of(context),
    )


MAXIMUM_REQUEST_ID = 64


def tell_position(context: Context, position: Position) -> None:
    """Sends the position of a reply in its trailing metadata."""
    text = f"{position.store_id}/{position.epoch}/{position.revision}"
    context.set_trailing_metadata(((POSITION, text),))
