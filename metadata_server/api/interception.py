"""gRPC's calls, wrapped as all calls are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc

from metadata_server.api.calls import Calls

if TYPE_CHECKING:  # the class takes parameters for mypy only
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    Handler = grpc.RpcMethodHandler
PACKAGE = "/mds.v1."


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the protocol, of each of the four shapes of calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(PACKAGE):
            return handler
        method = handler_call_details.method.removeprefix(PACKAGE).replace("/", ".")
        if handler.response_streaming:
            stream = handler.stream_stream or handler.unary_stream
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            wrapped: Any = self._calls.streaming(method, stream)
        else:
            make = grpc.unary_unary_rpc_method_handler
            wrapped = self._calls.unary(method, handler.unary_unary)
        return make(wrapped, handler.request_deserializer, handler.response_serializer)
