"""What a gRPC server asks for the handler of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc

from metadata_server.api.calls import Calls, nothing
from metadata_server.api.prepared import serialized
from metadata_server.api.registrar import Registrar
from metadata_server.api.unknown_fields import changes_something, check_fields

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


class Weighed(NamedTuple):
    """A request, and how many bytes it came in."""

    message: Any
    size: int


def weighed(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Weighed]:
    return lambda data: Weighed(deserialize(data), len(data))


def size_of(request: Weighed) -> int:
    return request.size


def wrapped(method: str, handler: Any, calls: Calls) -> Handler:
    """A handler whose calls are logged, counted, and refused well; of any of the four shapes."""
    if handler.stream_stream:
        return grpc.stream_stream_rpc_method_handler(
            calls.streaming(method, handler.stream_stream, nothing),
            handler.request_deserializer,
            handler.response_serializer,
        )
    deserialize = weighed(handler.request_deserializer)
    if handler.unary_stream:
        handle = understood(handler.unary_stream)
        return grpc.unary_stream_rpc_method_handler(
            calls.streaming(method, handle, size_of), deserialize, handler.response_serializer
        )
    unary: Any = calls.unary(method, understood(handler.unary_unary), size_of)
    return grpc.unary_unary_rpc_method_handler(unary, deserialize, serialized)


def understood(handle: Any) -> Any:
    """A handler that gets no request to change something which this release knows only a part of."""

    def call(request: Weighed, context: Any) -> Any:
        if changes_something(request.message):
            check_fields(request.message)
        return handle(request.message, context)

    return call
