"""Collects the handlers of the servicers that gRPC serves, so that REST calls the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import grpc

from metadata_server.api.rest.routes import Route
from metadata_server.api.services import Parts, add_protocol

if TYPE_CHECKING:  # the classes take parameters for mypy only
    Handler = grpc.RpcMethodHandler[Any, Any]
    GenericHandler = grpc.GenericRpcHandler
else:
    Handler, GenericHandler = grpc.RpcMethodHandler, grpc.GenericRpcHandler


class Called(NamedTuple):
    """As much of a gRPC call as tells which handler it is for."""

    method: str
    invocation_metadata: tuple[()] = ()


class Registrar:
    """As much of a gRPC server as servicers are added to."""

    def __init__(self) -> None:
        self._generic: list[GenericHandler] = []

    def add_generic_rpc_handlers(self, handlers: Iterable[GenericHandler]) -> None:
        self._generic.extend(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """The same handlers again, for a faster look-up."""

    def handler(self, route: Route) -> Handler:
        """
        Raises:
            LookupError: nobody serves the method.
        """
        called = cast("grpc.HandlerCallDetails", Called(route.full_name))
        for each in self._generic:
            found = each.service(called)
            if found is not None:
                return found
        raise LookupError(f"{route.full_name} is in the protocol and nobody serves it")


def registered(parts: Parts) -> Registrar:
    """Servicers of the whole protocol, for another face than gRPC."""
    registrar = Registrar()
    add_protocol(cast("grpc.aio.Server", registrar), parts)
    return registrar
