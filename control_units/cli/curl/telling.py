"""A client that prints its calls. It makes those that change nothing, for a command goes on with
their answers, and ends the command before the first that would change something."""

import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import click
import grpc.aio
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from control_units.client import Client, Unreachable
from control_units.client.calls import FailoverChannel, Stream
from control_units.client.curl import base_address, curl_of

_ENDLESS = frozenset({"Watch", "Pulse"})


class TellingClient(Client):
    """The client of a command that is told rather than carried out."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        caller = self.caller
        self._teller = Teller(
            lambda: base_address(self.http_address), caller.principal, caller.token.in_a_shell
        )

    @property
    def channel(self) -> grpc.aio.Channel:
        told = TellingChannel(FailoverChannel(self.caller), self._teller)
        return cast("grpc.aio.Channel", told)


class Teller:
    """Prints calls, and nothing else of what the command would print.

    Args:
        base: tells the server's REST, once a server is known.
        principal: who calls.
        token: what stands in a shell for the token that is shown; empty: none is.
    """

    def __init__(self, base: Callable[[], str], principal: str, token: str) -> None:
        self._base = base
        self._principal = principal
        self._token = token
        self._out = _own_output()

    def call(self, method: MethodDescriptor, request: Any) -> None:
        self.say(
            curl_of(
                method, request, base=self._base(), principal=self._principal, token=self._token
            )
        )

    def say(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


class TellingChannel:
    """Stands where the generated stubs expect a channel."""

    def __init__(self, channel: FailoverChannel, teller: Teller) -> None:
        self._channel = channel
        self._teller = teller

    def unary_unary(self, path: str, **kind: Any) -> Callable[..., Awaitable[Any]]:
        method, call = method_at(path), self._channel.unary_unary(path, **kind)

        async def told(request: Any, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
            self._teller.call(method, request)
            _end_if(changes(method, request))
            try:
                reply = await call(request, timeout=min(timeout or 2.0, 2.0))
            except Unreachable as error:
                raise self._unknown(error) from None
            if getattr(reply, "next_page_token", ""):
                self._teller.say("# … and so on with pageToken= the nextPageToken of each answer")
                reply.next_page_token = ""
            return reply

        return told

    def unary_stream(self, path: str, **kind: Any) -> Callable[..., AsyncIterator[Any]]:
        method, call = method_at(path), self._channel.unary_stream(path, **kind)

        def told(request: Any = None, *, timeout: float | None = None) -> AsyncIterator[Any]:
            self._teller.call(method, request)
            _end_if(changes(method, request) or method.name in _ENDLESS)
            return self._answers(call(request, timeout=timeout))

        return told

    def stream_stream(self, path: str, **_: Any) -> Callable[..., Any]:
        method = method_at(path)

        def told(*_: Any, **__: Any) -> Any:
            self._teller.say("# Its body is a stream: one request in each line.")
            self._teller.call(method, _empty(method))
            raise click.exceptions.Exit(0)

        return told

    async def _answers(self, stream: Stream[Any, Any]) -> AsyncIterator[Any]:
        try:
            async for each in stream:
                yield each
        except Unreachable as error:
            raise self._unknown(error) from None

    def _unknown(self, error: Unreachable) -> click.exceptions.Exit:
        self._teller.say(f"# What would come next depends on the answer. {error}")
        return click.exceptions.Exit(0)


def changes(method: MethodDescriptor, request: Any) -> bool:
    """Whether a call would change something."""
    fields = method.input_type.fields_by_name
    return "request_id" in fields and not getattr(request, "validate_only", False)


def method_at(path: str) -> MethodDescriptor:
    """The method at `/mds.v1.ControlUnits/GetControlUnit`."""
    return descriptor_pool.Default().FindMethodByName(path.strip("/").replace("/", "."))


def _end_if(is_over: bool) -> None:  # noqa: FBT001 - it reads as a sentence
    if is_over:
        raise click.exceptions.Exit(0)


def _empty(method: MethodDescriptor) -> Any:
    from google.protobuf.message_factory import GetMessageClass

    return GetMessageClass(method.input_type)()


def _own_output() -> Any:
    """What was standard output; what the command writes from now on goes nowhere."""
    if not isinstance(sys.stdout, _Nowhere):
        own = sys.stdout
        nowhere: Any = _Nowhere(own)
        click.get_current_context().with_resource(contextlib.redirect_stdout(nowhere))
        return own
    return sys.stdout.own


class _Nowhere:
    """Takes what is written and drops it.

    Attributes:
        own: what stood in its place.
    """

    def __init__(self, own: Any) -> None:
        self.own = own

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return

    def isatty(self) -> bool:
        return False
