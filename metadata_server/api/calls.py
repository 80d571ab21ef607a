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
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, TypeVar

import grpc
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

from metadata_server.api.errors import unexpected
from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.reaching import Reaching

PRINCIPAL, CLIENT, REQUEST_ID = "mds-principal", "mds-client", "mds-request-id"
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
        self, figures: CallFigures, reaching: Reaching, *, face: str, refuse: Refuse[Any]
    ) -> None:
        self._figures = figures
        self._reaching = reaching
        self._face = face
        self._refuse = refuse
        self._ended: dict[tuple[str, str], Counter] = {}

    def unary(self, method: str, handle: Any) -> Callable[[Any, Any], Awaitable[Any]]:
        seconds = self._figures.seconds.labels(method, self._face)

        async def call(request: Any, context: Context) -> Any:
            with seconds.time():
                async with self._one_call(method, context):
                    await self._reach(context)
                    return await handle(request, context)

        return call

    def streaming(self, method: str, handle: Any) -> Callable[[Any, Any], AsyncIterator[Any]]:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            async with self._one_call(method, context):
                await self._reach(context)
                async with aclosing(handle(request, context)) as messages:
                    async for message in messages:
                        yield message

        return call

    def _count(self, method: str, code: str) -> None:
        child = self._ended.get((method, code))
        if child is None:
            child = self._figures.ended.labels(method, code, self._face)
            self._ended[method, code] = child
        child.inc()

    async def _reach(self, context: Context) -> None:
        """Waits until this replica sees the revision that the caller has seen."""
        if minimum := metadata_of(context).get(MINIMUM_REVISION):
            await self._reaching.reach(minimum)

    @asynccontextmanager
    async def _one_call(self, method: str, context: Context) -> AsyncIterator[None]:
        metadata = metadata_of(context)
        # For the log alone: no secret, and the system's own source costs as much as the call.
        request_id = metadata.get(REQUEST_ID) or f"{random.getrandbits(128):032x}"
        began = time.perf_counter()
        code, reason = "OK", ""
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id[:64]):
                try:
                    yield
                except Refused as refused:
                    reason = refused.reason
                    code = await self._refuse(context, refused)
                except (grpc.aio.AbortError, asyncio.CancelledError, GeneratorExit):
                    code = "CANCELLED"
                    raise
                except Exception as error:  # the top of every call: one line, no detail outside
                    reason, code = "INTERNAL_FAULT", "INTERNAL"
                    log.exception("call_failed", method=method)
                    await self._refuse(context, unexpected(error))
        finally:
            self._count(method, code)
            if reason:
                self._figures.refused.labels(method, reason, self._face).inc()
            log.info(
                "call",
                method=method,
                face=self._face,
                code=code,
                reason=reason,
                principal=principal_in(metadata).name,
                request_id=request_id[:64],
                ms=round((time.perf_counter() - began) * 1000, 1),
            )


def metadata_of(context: Context) -> dict[str, str]:
    """The text metadata that a call came with."""
    pairs = context.invocation_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def principal_of(context: Context) -> Principal:
    """Who calls, as they say of themselves: nobody is asked yet."""
    return principal_in(metadata_of(context))


def principal_in(metadata: dict[str, str]) -> Principal:
    return Principal(metadata.get(PRINCIPAL, "").strip()[:255] or "anonymous")


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
        principal=principal_of(context),
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
