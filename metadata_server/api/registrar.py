"""The handlers of all servicers by method, for every face to call the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import grpc

from metadata_server.api.services import Parts, add_protocol

if TYPE_CHECKING:  # the classes take parameters for mypy only
    Handler = grpc.RpcMethodHandler[Any, Any]
    GenericHandler = grpc.GenericRpcHandler
else:
    Handler, GenericHandler = grpc.RpcMethodHandler, grpc.GenericRpcHandler


class Registrar:
    """As much of a gRPC server as servicers are added to."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[GenericHandler]) -> None:
        """The same handlers once more, for servers that ask each service for a method."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        self._handlers |= {f"/{service}/{name}": handler for name, handler in handlers.items()}

    def handler(self, full_name: str) -> Handler:
        """
        Args:
            full_name: `/mds.v1.ControlUnits/GetControlUnit`.

        Raises:
            LookupError: nobody serves the method.
        """
        if full_name not in self._handlers:
            raise LookupError(f"{full_name} is in the protocol and nobody serves it")
        return self._handlers[full_name]

    def __iter__(self) -> Iterator[tuple[str, Handler]]:
        """Full names and handlers."""
        return iter(self._handlers.items())

    @property
    def as_server(self) -> grpc.aio.Server:
        """Itself, for generated functions that add a servicer."""
        return cast("grpc.aio.Server", self)


def registered(parts: Parts) -> Registrar:
    """Servicers of the whole protocol."""
    registrar = Registrar()
    add_protocol(registrar.as_server, parts)
    return registrar
