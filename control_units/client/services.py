"""Services of the contract as attributes of a client, each made when it is first used."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from control_units.client.client import Client

S = TypeVar("S")


class Service(Generic[S]):
    """One service: an attribute that is a stub over whichever server answers.

    Args:
        module: of the contract: `control_unit`.
        service: its name there; empty: as the attribute is called.
    """

    def __init__(self, module: str, service: str = "") -> None:
        self._module = module
        self._service = service

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        self._plural = "".join(word.capitalize() for word in name.split("_"))

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "Client", owner: type) -> S: ...
    def __get__(self, client: "Client | None", owner: type) -> "S | Self":
        if client is None:
            return self
        module = import_module(f"mds.v1.{self._module}_pb2_grpc")
        stub = getattr(module, f"{self._service or self._plural}Stub")
        made: S = self._made(stub, client)
        vars(client)[self._name] = made
        return made

    def _made(self, stub: type[Any], client: "Client") -> Any:
        return stub(client.channel)


class Noun(Service[S]):
    """One kind of resources: their service, and before it the methods that all have.

    Args:
        base: those methods: Reading, Watched, Collection, or a function that imports a class of
            more.
    """

    def __init__(
        self,
        module: str,
        resource: str,
        base: type[Any] | Callable[[], type[Any]],
        service: str = "",
    ) -> None:
        super().__init__(module, service)
        self._resource = resource
        self._base = base

    def _made(self, stub: type[Any], client: "Client") -> Any:
        base = self._base if isinstance(self._base, type) else self._base()
        service = stub.__name__.removesuffix("Stub")
        kind = type(self._plural, (base, stub), {"service": service})
        return kind(client.channel, client.caller, self._resource, self._plural)
