"""aiohttp's server, with our body for what it refuses before any handler is asked."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from typing_extensions import override

from metadata_server.api.errors import unexpected
from metadata_server.api.rest.answers import refusal
from metadata_server.domain.refused import Refused


class Handler(web.RequestHandler):
    """One connection."""

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


class Server(web.Server):
    """All connections."""

    @override
    def __call__(self) -> web.RequestHandler:
        quiet: dict[str, Any] = {"access_log": None}  # each call has its line already
        return Handler(self, loop=asyncio.get_running_loop(), **quiet)


class Runner(web.AppRunner):
    """Runs an application."""

    @override
    async def _make_server(self) -> Server:
        made: Any = await super()._make_server()
        return Server(
            made.request_handler, request_factory=made.request_factory, handler_cancellation=True
        )
