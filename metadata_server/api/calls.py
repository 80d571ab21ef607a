"""What every call goes through: its name in the logs, its refusals as statuses, its figures.

Servicers raise `Refused` and return messages; nothing else in the server knows how a refusal
travels.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, Counter, Histogram

from metadata_server.api.errors import abort_with, unexpected
from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.refused import Refused

if TYPE_CHECKING:  # the classes take parameters for mypy only
    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    Context, Handler = grpc.aio.ServicerContext, grpc.RpcMethodHandler
PRINCIPAL, CLIENT, REQUEST_ID = "mds-principal", "mds-client", "mds-request-id"
POSITION = "mds-position"
USER_AGENT = "user-agent"
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
log = structlog.get_logger()


class CallFigures:
    """How many calls came, how they ended, how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(
            "mds_calls", "Calls that ended.", ["method", "code"], registry=registry
        )
        self.seconds = Histogram(
            "mds_call_seconds",
            "Time of unary calls.",
            ["method"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.refused = Counter(
            "mds_refused", "Calls that were refused.", ["method", "reason"], registry=registry
        )


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server, of each of the four shapes of calls."""

    def __init__(self, figures: CallFigures) -> None:
        self._figures = figures

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method.removeprefix("/mds.v1.").replace("/", ".")
        if handler is None or not handler_call_details.method.startswith("/mds.v1."):
            return handler
        if handler.response_streaming:
            stream = handler.stream_stream or handler.unary_stream
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            wrapped: Any = self._streaming(method, stream)
        else:
            make = grpc.unary_unary_rpc_method_handler
            wrapped = self._unary(method, handler.unary_unary)
        return make(wrapped, handler.request_deserializer, handler.response_serializer)

    def _unary(self, method: str, handle: Any) -> Any:
        async def call(request: Message, context: Context) -> Any:
            with self._figures.seconds.labels(method).time():
                async with self._one_call(method, context):
                    return await handle(request, context)

        return call

    def _streaming(self, method: str, handle: Any) -> Any:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            async with self._one_call(method, context):
                async for message in handle(request, context):
                    yield message

        return call

    @asynccontextmanager
    async def _one_call(self, method: str, context: Context) -> AsyncIterator[None]:
        metadata = metadata_of(context)
        request_id = metadata.get(REQUEST_ID) or uuid.uuid4().hex
        principal = principal_of(context)
        began = time.perf_counter()
        code, reason = "OK", ""
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id[:64]):
                try:
                    yield
                except Refused as refused:
                    reason = refused.reason
                    code = await abort_with(context, refused)
                except (grpc.aio.AbortError, asyncio.CancelledError, GeneratorExit):
                    code = "CANCELLED"
                    raise
                except Exception as error:  # the top of every call: one line, no detail outside
                    reason, code = "INTERNAL_FAULT", "INTERNAL"
                    log.exception("call_failed", method=method)
                    await abort_with(context, unexpected(error))
        finally:
            self._figures.ended.labels(method, code).inc()
            if reason:
                self._figures.refused.labels(method, reason).inc()
            log.info(
                "call",
                method=method,
                code=code,
                reason=reason,
                principal=principal.name,
                request_id=request_id[:64],
                ms=round((time.perf_counter() - began) * 1000, 1),
            )


def metadata_of(context: Context) -> dict[str, str]:
    """The text metadata that a call came with."""
    pairs = context.invocation_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def principal_of(context: Context) -> Principal:
    """Who calls, as they say of themselves: nobody is asked yet."""
    name = metadata_of(context).get(PRINCIPAL, "").strip()
    return Principal(name[:255] or "anonymous")


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
