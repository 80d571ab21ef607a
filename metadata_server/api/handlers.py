"""What a gRPC server asks for the handler of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from metadata_server.api.calls import Calls
from metadata_server.api.prepared import serialized
from metadata_server.api.registrar import Registrar

if TYPE_CHECKING:  # the classes take parameters for mypy only
    Handler = grpc.RpcMethodHandler[Any, Any]
    GenericHandler = grpc.GenericRpcHandler
else:
    Handler, GenericHandler = grpc.RpcMethodHandler, grpc.GenericRpcHandler


class Handlers(GenericHandler):
    """Finds a handler by the method's name.

    Methods are not registered with the server one by one, as generated code would: grpc.aio waits
    for the next call of every registered method at once, so that with 200 of them a call cost 100 µs
    more. Neither is there an interceptor: handlers are wrapped beforehand.

    Args:
        protocol: served through `calls`.
        plain: served as they are.
    """

    def __init__(self, protocol: Registrar, calls: Calls, plain: Registrar) -> None:
        self._handlers = dict(plain) | {
            full_name: wrapped(full_name.rpartition(".")[2].replace("/", "."), handler, calls)
            for full_name, handler in protocol
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        return self._handlers.get(handler_call_details.method)


def wrapped(method: str, handler: Any, calls: Calls) -> Handler:
    """A handler whose calls are logged, counted, and refused well; of any of the four shapes."""
    if handler.response_streaming:
        stream = handler.stream_stream or handler.unary_stream
        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
        streaming = calls.streaming(method, stream)
        return make(streaming, handler.request_deserializer, handler.response_serializer)
    unary: Any = calls.unary(method, handler.unary_unary)
    return grpc.unary_unary_rpc_method_handler(unary, handler.request_deserializer, serialized)
