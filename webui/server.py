"""The parts of the web page, put together and run."""

import asyncio
import os
import signal

import structlog
from aiohttp import web

from control_units.client import Client, ClientError
from control_units.figures.calls import ClientFigures
from control_units.figures.serving import figures_of_process, served
from webui.access.callers import Callers, NotLoggedIn
from webui.access.shown import shown_token
from webui.application import application
from webui.figures import WebFigures
from webui.live.feed import Feed
from webui.live.hub import Hub
from webui.live.painter import Painter
from webui.rendering import environment
from webui.settings import Settings
from webui.site import Site
from webui.translation import speak

log = structlog.get_logger()

# What follows the server has so long to end, in s.
SHUTDOWN_SECONDS = 3.0
# Then requests under way have, an import or a large change too; streams are ended before, and nothing
# new is let in.
DRAIN_SECONDS = 16.0
# An address may name the 500 units of a page that somebody has ticked, and more on others; who asks
# for a part of a page says its address in a field, too. See static/ticks.js for what is sent at most.
LONGEST_ADDRESS = 64 * 1024


class PortTaken(Exception):
    """Something else listens where the page should."""


class OpenToAll(Exception):
    """Others could do anything here without being asked who they are."""


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        PortTaken, OpenToAll: the message says which setting to change.
        BadToken: its own token cannot be one.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    speak(settings.web_language)
    templates = environment()
    hub = Hub(most_viewers=settings.web_browsers)
    registry = figures_of_process("web")
    async with Client(settings.address, program="webui") as client:
        client.caller.observer = ClientFigures(registry)
        feed = Feed(client, hub, Painter(templates))
        await _check_who_is_asked(client, settings)
        figures = WebFigures(registry, hub, feed)
        site = Site(client, hub, templates)
        app = application(
            site,
            feed,
            settings.entrance,
            most_requests=settings.web_requests,
            hearers=[figures.count],
        )
        runner = runner_of(app)
        await runner.setup()
        try:
            await _listen(runner, settings)
            with served(registry):
                await _follow_until(stop, feed)
            log.info("stopping", browsers=hub.viewers)
        finally:
            hub.close()
            await runner.cleanup()


async def _check_who_is_asked(client: Client, settings: Settings) -> None:
    """Says at the start what would be found out later. A server that does not answer yet is no
    reason to stay away: until it does, nobody is let in from elsewhere."""
    callers = Callers(client.with_token_of_each(shown_token))
    try:
        await callers.who("")
    except NotLoggedIn:
        if not client.caller.token.text:
            log.error("token_missing", why="the overview shows nothing without one: set MDS_TOKEN")
    except ClientError:
        return
    if callers.asks is False and settings.entrance.must_ask:
        raise OpenToAll(
            f"MDS_WEB_HOST is {settings.web_host!r}, which others can reach, and the metadata "
            "server asks nobody who they are. Start that with MDS_AUTHENTICATION=token, or set "
            "MDS_WEB_HOST=127.0.0.1 here, or MDS_INSECURE=1 if you want that."
        )


def runner_of(app: web.Application) -> web.AppRunner:
    # A browser that goes away ends what is being read for it.
    return web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=DRAIN_SECONDS / 2,  # aiohttp waits twice: the second time without uploads
        max_line_size=LONGEST_ADDRESS,
        max_field_size=LONGEST_ADDRESS,
    )


async def _follow_until(stop: asyncio.Event, feed: Feed) -> None:
    """Runs the feed until it shall stop; a feed that ends by itself ends the process."""
    following = asyncio.create_task(feed.run(), name="feed")
    following.add_done_callback(lambda _: stop.set())
    await stop.wait()
    if following.done():
        following.result()
    following.cancel()
    await asyncio.wait([following], timeout=SHUTDOWN_SECONDS)


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    host, port = settings.web_host.strip("[]"), settings.web_port
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as failure:
        raise PortTaken(
            f"The page cannot listen at {host} port {port}: {_cause(failure)}. "
            "Set MDS_WEB_PORT to a port that is free."
        ) from failure
    bound_host, bound_port = runner.addresses[0][:2]
    shown = f"[{bound_host}]" if ":" in bound_host else bound_host
    log.info("listening", url=f"http://{shown}:{bound_port}/", server=settings.address)


def _cause(failure: OSError) -> str:
    """What the system says, without what the library wraps around it."""
    return os.strerror(failure.errno).lower() if failure.errno else str(failure)
