"""aiohttp's server, with our body for what it refuses before any handler is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from typing_extensions import override

from metadata_server.api.errors import unexpected
from metadata_server.api.rest import streams
from metadata_server.api.rest.answers import refusal
from metadata_server.domain.refused import Refused

RETRY_AFTER_MS = 5_000
LAST_WORD_S = 1.0
SPARE = 50
"""So many connections beyond the limit may say what they want: a probe that finds only a full
replica would have it restarted, with all that it serves."""
PROBE = b"GET /healthz/"
PROBE_S = 10.0
"""A probe beyond the limit has its answer by then, or none."""
SLOWEST_BYTES_S = 10_000
"""What is taken of an answer buys time at this pace."""
LOOKS = 20
"""So often within a reader's patience it is seen to whether something is taken."""
log = structlog.get_logger()


class Sending:
    """An answer on its way to a reader, who is cut off where they do not take it: until then it
    lies in memory, though the call has ended.

    What lies with the operating system counts as taken.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._left_s = streams.SLOWEST_READER_S
        self._every_s = self._left_s / LOOKS
        self._waiting = 0
        self._wait()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._look)

    def _look(self) -> None:
        waiting = self._transport.get_write_buffer_size()
        if waiting:
            self._left_s -= self._every_s
        self._left_s += max(0, self._waiting - waiting) / SLOWEST_BYTES_S
        self._waiting = waiting
        if self._left_s > 0:
            self._wait()
            return
        peer = str(self._transport.get_extra_info("peername"))
        log.info("reader_takes_nothing", peer=peer, waiting_bytes=waiting)
        self._transport.abort()

    def end(self) -> None:
        self._timer.cancel()


class Handler(web.RequestHandler):
    """One connection."""

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._is_refused = self._is_probe = False
        self._first: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server.open += 1
        beyond = self._server.open - self._server.limits.connections
        if beyond > SPARE:
            self._refuse()
        elif beyond > 0:
            self._first = b""
            self._after(LAST_WORD_S, self._refuse)

    @override
    def data_received(self, data: bytes) -> None:
        if self._first is not None:
            data = self._only_probe(self._first + data)
        if data and not self._is_refused:
            super().data_received(data)

    def _only_probe(self, first: bytes) -> bytes:
        """All that has come beyond the limit, once it is known to be a probe."""
        self._first = first
        if not first.startswith(PROBE):
            if not PROBE.startswith(first):
                self._refuse()
            return b""
        self._first = None
        self._is_probe = True
        self._after(PROBE_S, self.force_close)
        return first

    def _refuse(self) -> None:
        if self.transport is None:  # the replica ends
            return
        self._first = None
        self._is_refused = True
        self._server.on_refused()
        self.transport.write(self._server.limits.refusal)
        self.transport.write_eof()
        # Closed while something is on its way here, it would take the answer with it.
        self._after(LAST_WORD_S, self.force_close)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        """Has something done after a time, instead of what was to be done before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._server.open -= 1
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    @override
    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if self._is_probe:
            resp.force_close()
        if self.transport is None:
            return await super().finish_response(request, resp, start_time)
        sending = Sending(self.transport)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            sending.end()

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0 or exc is None:
            return super().handle_error(request, status, exc, message)
        if status >= 500:
            self.log_exception("Error handling request", exc_info=exc)
            response = refusal(unexpected(exc))
        else:
            said = next(filter(None, map(str.strip, (message or "").splitlines())), "bad request")
            response = refusal(Refused.invalid("INVALID_HTTP", f"{said[:300].rstrip('.:')}."))
        response.force_close()
        return response


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take.

    Attributes:
        connections: at once.
        idle_s: for so long a connection may be without a whole request, from its first byte on.
    """

    connections: int
    idle_s: float

    @property
    def refusal(self) -> bytes:
        """What is sent to those who are too many, without any request of theirs being served."""
        answer = refusal(
            Refused.pressure(
                "TOO_BUSY",
                f"This replica has {self.connections} connections, as many as it may "
                "(MDS_HTTP_CONNECTIONS). Go to another one, or come back later.",
                retry_after_ms=RETRY_AFTER_MS,
            )
        )
        assert isinstance(answer.body, bytes)
        headers = {**answer.headers, "Content-Length": len(answer.body), "Connection": "close"}
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + answer.body


class Server(web.Server):
    """All connections.

    Attributes:
        open: how many there are.
        on_refused: is called for each that is one too many.
    """

    def __init__(
        self, handler: Any, *, limits: Limits, on_refused: Callable[[], None], **options: Any
    ) -> None:
        super().__init__(handler, **options)
        self.limits = limits
        self.on_refused = on_refused
        self.open = 0

    @override
    def __call__(self) -> web.RequestHandler:
        return Handler(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # each call has its line already
            keepalive_timeout=self.limits.idle_s,
        )


class Runner(web.AppRunner):
    """Runs an application.

    Args:
        on_refused: is called for each connection that is one too many.
    """

    def __init__(
        self,
        application: web.Application,
        limits: Limits,
        on_refused: Callable[[], None],
        **options: Any,
    ) -> None:
        super().__init__(application, **options)
        self._limits = limits
        self._on_refused = on_refused

    @override
    async def _make_server(self) -> Server:
        made: Any = await super()._make_server()
        return Server(
            made.request_handler,
            limits=self._limits,
            on_refused=self._on_refused,
            request_factory=made.request_factory,
            handler_cancellation=True,
        )
