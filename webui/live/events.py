"""Server-sent events: the hub's news, written to one browser for as long as it listens."""

import asyncio
from dataclasses import replace

from aiohttp import web

from webui.access.admission import ADMISSION, Admission
from webui.live.hub import Hub, HubFull, Viewer
from webui.live.message import Message
from webui.live.pulse import ALL, Shown
from webui.traces import tell_opened
from webui.translation import _
from webui.visit import begin_visit, current_visit

# Without news for so long, in s, a sign of life is sent. The page waits 4 s for one (live.js); where
# there is a pulse, once a second, none is needed.
ALIVE_SECONDS = 1.5
# A browser that takes so long, in s, to read one message is let go; it comes back by itself.
WRITE_SECONDS = 15.0
# A browser waits so long, in ms, before it comes back.
RETRY_MS = 1000
# Whoever listens is asked for again so often, in s: tokens end, and people go.
CHECK_SECONDS = 5.0

HUB = web.AppKey("hub", Hub)
_ALIVE = Message("alive", "")
_OUT = Message("out", "")


async def events(request: web.Request) -> web.StreamResponse:
    """`GET /events?picture=ID&beat=ID…`: from the picture that the page was drawn with, on, with
    the heartbeats of the unit servers that the page shows, or of all (`beat=*`).

    A browser that comes back says itself which one it has last (`Last-Event-ID`).
    """
    hub = request.app[HUB]
    # A stream lasts for days, and its visit with it: nothing is drawn here that needs that picture.
    begin_visit(replace(current_visit(), picture=None))
    picture_id = request.headers.get("Last-Event-ID") or request.query.get("picture", "")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    try:
        with hub.viewer(picture_id, _shown(request)) as viewer:
            await response.prepare(request)
            await response.write(f"retry: {RETRY_MS}\n\n".encode())
            tell_opened(response.status)
            # Beside the news: who listens must hear that nobody answers, while nobody does.
            out = asyncio.create_task(_until_out(request.app[ADMISSION]), name="until_out")
            try:
                await _write_news(hub, viewer, response, out)
            finally:
                out.cancel()
                await asyncio.wait([out])
    except HubFull:
        raise web.HTTPServiceUnavailable(
            text=_("Too many browsers are listening; MDS_WEB_BROWSERS allows more."),
            headers={"Retry-After": "10"},
        ) from None
    except (TimeoutError, ConnectionResetError):
        # It reads too slowly, or went away. What is still to be written would never leave.
        if request.transport is not None:
            request.transport.abort()
    return response


def _shown(request: web.Request) -> Shown:
    asked = frozenset(request.query.getall("beat", ()))
    return ALL if "*" in asked else asked


async def _until_out(admission: Admission) -> None:
    """Asks now and then; ends when who listens would be let in no longer."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        if not await admission.may_go_on():
            return


async def _write_news(
    hub: Hub, viewer: Viewer, response: web.StreamResponse, out: asyncio.Task[None]
) -> None:
    while not out.done():
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                messages = await hub.next(viewer)
        except TimeoutError:
            messages = [_ALIVE]
        if not messages:
            return
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(b"".join(message.encoded for message in messages))
    out.result()
    await response.write(_OUT.encoded)
