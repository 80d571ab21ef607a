"""Requests of browsers, as parts of OpenTelemetry's traces."""

from aiohttp import web
from aiohttp.typedefs import Handler

from control_units.client import traces
from control_units.client.request_ids import present_request
from webui.figures import NOWHERE, STREAM, method_of
from webui.headers import QUIET

FAILED = 500


@web.middleware
async def trace_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is asked of servers for a page is a part of the request."""
    method = method_of(request)
    if method == NOWHERE or request.path.startswith(QUIET):
        return await handler(request)
    begins = traces.request_of_stream if method == STREAM else traces.request
    with begins(method, request.headers):
        return await handler(request)


def tell_opened(status: int) -> None:
    """A browser's stream has begun. It lasts for days: its opening alone is in a trace."""
    tell_status(status)
    traces.opened()


def tell_trace(_: web.Request, status: int, __: float) -> None:
    """How a request ended."""
    tell_status(status)


def tell_status(status: int) -> None:
    traces.tells(status=str(status), request_id=present_request())
    if status >= FAILED:
        traces.fails()
