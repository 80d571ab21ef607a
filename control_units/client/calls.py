"""Calls that fail over from server to server, under the generated stubs."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import grpc.aio

from control_units.client import traces
from control_units.client.backoff import Backoff
from control_units.client.channels import Channels
from control_units.client.errors import ClientError, Refused, Unreachable, from_rpc_error
from control_units.client.later import LaterCall
from control_units.client.observing import CallObserver, cause_of, code_of, method_of
from control_units.client.request_ids import request_id_of, told_for
from control_units.client.stream_ends import StreamEnd
from control_units.client.tokens import ShownToken, TokenOfEach

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Metadata = tuple[tuple[str, str], ...]

POSITION_KEY = "mds-position"
REQUEST_ID_KEY = "x-request-id"
PRINCIPAL_KEY = "mds-principal"
CLIENT_KEY = "mds-client"
AUTHORIZATION_KEY = "authorization"
_READS = ("Get", "List")


class Caller:
    """What all calls of one client share.

    Attributes:
        channels: the servers.
        principal: who calls.
        program: with what: `mds/0.1.0`.
        token: what is shown, so that a server knows who calls.
        timeout: seconds that a call may take in all, its repetitions included.
        position: that the last answer named: `store_id/epoch/revision`, or empty.
        failure: why the last try got no answer; None: it got one, or there was no try.
        observer: is told what becomes of calls.
    """

    def __init__(
        self,
        channels: Channels,
        principal: str,
        *,
        program: str,
        token: ShownToken | TokenOfEach,
        timeout: float,
    ) -> None:
        self.channels = channels
        self.principal = principal
        self.program = program
        self.token = token
        self.timeout = timeout
        self.position = ""
        self.failure: ClientError | None = None
        self.observer = CallObserver()

    def metadata(self, request_id: str) -> Metadata:
        """What goes with each call: who, with which program, and an id that finds its lines in
        the server's log."""
        said = (
            (PRINCIPAL_KEY, self.principal),
            (CLIENT_KEY, self.program),
            (REQUEST_ID_KEY, told_for(request_id)),
        )
        token = self.token.text
        return (*said, (AUTHORIZATION_KEY, f"Bearer {token}")) if token else said

    async def server(self, seconds: float) -> str:
        """The server to ask, looked for where none is known.

        Raises:
            Unreachable: there is none.
        """
        try:
            return await self.channels.found(seconds)
        except Unreachable as failure:
            self.failure = failure
            raise

    def saw(self, trailing: Iterable[tuple[str, str | bytes]] | None) -> None:
        """Keeps the position that an answer named."""
        for key, value in trailing or ():
            if key == POSITION_KEY and isinstance(value, str):
                self.position = value

    def failed(self, error: grpc.aio.AioRpcError, address: str, request_id: str) -> ClientError:
        """What the failure means; leaves a server that cannot answer."""
        self.saw(error.trailing_metadata())
        failure = from_rpc_error(error, address, told_for(request_id))
        self.failure = failure if failure.is_transient else None
        if failure.is_transient and not is_old(failure):
            self.channels.leave(address)
        return failure


class UnaryCall(Generic[Request, Reply]):
    """One request, one reply, from whichever server answers.

    Sent again as long as its time lasts, when that cannot do it twice: reads, and mutations,
    which their request id makes safe.
    """

    def __init__(self, caller: Caller, path: str, kind: dict[str, Any]) -> None:
        self._caller = caller
        self._path = path
        self._kind = kind
        self._method = method_of(path)
        self._is_read = path.rpartition("/")[2].startswith(_READS)

    async def __call__(  # `timeout` is the word of gRPC's own callables
        self,
        request: Request,
        *,
        timeout: float | None = None,
    ) -> Reply:
        request, has_request_id = _with_request_id(request)
        request_id = request_id_of(request)
        repeats = self._is_read or has_request_id
        began, code = time.monotonic(), "CANCELLED"
        end = began + (self._caller.timeout if timeout is None else timeout)
        with traces.call(self._method):
            try:
                reply = await self._until(request, request_id, end, repeats=repeats)
                code = "OK"
            except ClientError as failure:
                code = code_of(failure)
                raise
            finally:
                self._caller.observer.ended(self._method, code, time.monotonic() - began)
                known_by = request_id if has_request_id else told_for(request_id)
                traces.ends(code, request_id=known_by)
        return reply

    async def _until(
        self, request: Request, request_id: str, end: float, *, repeats: bool
    ) -> Reply:
        """Tries until this moment of the steady clock, where it may be tried again at all."""
        backoff = Backoff(first=0.1, longest=3.0)
        tries = 0
        while True:
            try:
                share = self._share(end, repeats=repeats)
                return await self._once(request, request_id, share)
            except ClientError as failure:
                tries += 1
                pause = self._pause(failure, backoff, tries)
                if not (repeats and failure.is_transient and time.monotonic() + pause < end):
                    raise
                self._caller.observer.tries_again(self._method, cause_of(failure))
                traces.happens("tries_again", cause=cause_of(failure))
            await asyncio.sleep(pause)

    async def _once(self, request: Request, request_id: str, seconds: float) -> Reply:
        address = await self._caller.server(seconds)
        call = self._caller.channels.channel(address).unary_unary(self._path, **self._kind)(
            request,
            timeout=seconds,
            metadata=(*self._caller.metadata(request_id), *traces.said()),
        )
        try:
            reply: Reply = await call
        except grpc.aio.AioRpcError as error:
            raise self._caller.failed(error, address, request_id) from error
        self._caller.failure = None
        self._caller.saw(await call.trailing_metadata())
        return reply

    def _share(self, end: float, *, repeats: bool) -> float:
        """Seconds for one try: where there is another server to ask, a silent one gets only
        part of the time."""
        left = max(end - time.monotonic(), 0.001)
        return left / max(len(self._caller.channels.addresses), 1) if repeats else left

    def _pause(self, failure: ClientError, backoff: Backoff, tries: int) -> float:
        asked = failure.retry_after if isinstance(failure, Refused) else None
        if asked is None and tries < len(self._caller.channels.addresses):
            return 0.0  # there is a server that has not been asked yet
        return backoff.next(at_least=asked or 0.0)


class Stream(Generic[Request, Reply]):
    """A call with a stream on either side. Never opened again by itself: only its user knows
    where to go on. After a failure the next stream goes to another server."""

    def __init__(
        self,
        caller: Caller,
        path: str,
        call: Any,
        address: str,
        *,
        request_id: str,
        end: StreamEnd,
        opening: traces.Opening,
    ) -> None:
        self._caller = caller
        self._end = end
        self._path = path
        self._call = call
        self._address = address
        self._request_id = request_id
        self._method = method_of(path)
        self._opening = opening
        self._is_open = True
        caller.observer.stream_begins(self._method)
        self._replies: AsyncIterator[Reply] | None = None

    @property
    def address(self) -> str:
        """The server at the other end; empty: one is still looked for."""
        return self._address or str(self._call.address)

    def __aiter__(self) -> "Stream[Request, Reply]":
        return self

    async def __anext__(self) -> Reply:
        if self._replies is None:
            self._replies = aiter(self._call)
        try:
            reply = await anext(self._replies)
        except StopAsyncIteration:
            self._ended("OK")
            raise
        except grpc.aio.AioRpcError as error:
            raise self._failed(error) from error
        self._opening.end("OK")
        return reply

    async def write(self, request: Request) -> None:
        """Sends one message, waiting while the other side is not ready for it.

        Raises:
            ClientError: the stream has ended.
        """
        try:
            await self._call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            raise await self._ending() from error

    async def done_writing(self) -> None:
        """Says that nothing more will be sent.

        Raises:
            ClientError: the stream has ended.
        """
        try:
            await self._call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            raise await self._ending() from error

    def cancel(self) -> None:
        """Ends the call at once; harmless when it has ended."""
        self._ended("CANCELLED")
        self._call.cancel()

    async def _ending(self) -> ClientError:
        """Why the stream has ended, for a writer that comes too late."""
        code = await self._call.code()
        if code is grpc.StatusCode.OK:
            return Unreachable(self.address, f"the server has closed the stream {self._path}.")
        trailing = await self._call.trailing_metadata()
        initial = await self._call.initial_metadata()
        ended = grpc.aio.AioRpcError(code, initial, trailing, details=await self._call.details())
        return self._failed(ended)

    def _failed(self, error: grpc.aio.AioRpcError) -> ClientError:
        error = self._end.error or error
        self._ended(error.code().name)
        return self._caller.failed(error, self.address, self._request_id)

    def _ended(self, code: str) -> None:
        """Tells it once."""
        self._opening.end(code)
        if self._is_open:
            self._is_open = False
            self._caller.observer.stream_ended(self._method, code)


Requests = AsyncIterable[Request] | Iterable[Request]


class Opens(Protocol):
    """Opens a stream on a channel."""

    def __call__(self, channel: grpc.aio.Channel) -> Callable[..., Any]: ...


class FailoverChannel:
    """Stands where the generated stubs expect a channel."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def unary_unary(self, path: str, **kind: Any) -> UnaryCall[Any, Any]:
        return UnaryCall(self._caller, path, kind)

    def unary_stream(self, path: str, **kind: Any) -> Callable[..., Stream[Any, Any]]:
        return self._stream(path, lambda channel: channel.unary_stream(path, **kind))

    def stream_stream(self, path: str, **kind: Any) -> Callable[..., Stream[Any, Any]]:
        return self._stream(path, lambda channel: channel.stream_stream(path, **kind))

    def _stream(self, path: str, opens: Opens) -> Callable[..., Stream[Any, Any]]:
        def start(request: Any = None, *, timeout: float | None = None) -> Stream[Any, Any]:
            caller = self._caller
            request_id = request_id_of(request)
            end, opening = StreamEnd(), traces.Opening(method_of(path))

            def open_at(address: str) -> Any:
                metadata = (*caller.metadata(request_id), *opening.said)
                channel = caller.channels.channel(address)
                return end.listen(opens(channel)(request, timeout=timeout, metadata=metadata))

            address = caller.channels.address
            if address:
                call = open_at(address)
            else:
                call = LaterCall(lambda: caller.server(timeout or caller.timeout), open_at)
            return Stream(
                caller, path, call, address, request_id=request_id, end=end, opening=opening
            )

        return start


def is_old(failure: ClientError) -> bool:
    """Whether a stream has only grown old, so that load may spread: the server is well."""
    return isinstance(failure, Refused) and failure.metadata.get("stream") == "old"


def _with_request_id(request: Any) -> tuple[Any, bool]:
    """The request with an id of its own where its message has a place for one and it is empty;
    the caller's message is not touched."""
    if "request_id" not in request.DESCRIPTOR.fields_by_name:
        return request, False
    if not request.request_id:
        request = type(request).FromString(request.SerializeToString())
        request.request_id = uuid.uuid4().hex
    return request, True
