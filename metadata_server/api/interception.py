"""gRPC's calls, wrapped as all calls are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc

from metadata_server.api.calls import Calls
from metadata_server.api.prepared import serialized

if TYPE_CHECKING:  # the class takes parameters for mypy only
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    Handler = grpc.RpcMethodHandler
PACKAGE = "/mds.v1."


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the protocol, of each of the four shapes of calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(PACKAGE):
            return handler
        method = handler_call_details.method.removeprefix(PACKAGE).replace("/", ".")
        if method not in self._wrapped:
            self._wrapped[method] = self._wrap(method, handler)
        return self._wrapped[method]

    def _wrap(self, method: str, handler: Any) -> Handler:
        if handler.response_streaming:
            stream = handler.stream_stream or handler.unary_stream
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            streaming = self._calls.streaming(method, stream)
            return make(streaming, handler.request_deserializer, handler.response_serializer)
        unary: Any = self._calls.unary(method, handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(unary, handler.request_deserializer, serialized)
