"""Follows the metadata server for all browsers: one watch, one pulse, one overview at a time.

The watch only says that something changed, and what; what the page shows is read anew, as one
overview as of one position. So what is shown is never pieced together here, and a burst of a
thousand events costs a few readings.
"""

import asyncio
import contextlib
import time
from datetime import UTC
from typing import NoReturn

import structlog
from mds.v1 import kind_pb2, overview_pb2, position_pb2, view_pb2, watch_pb2

from control_units.client import Backoff, Client, ClientError, Refused
from webui.clock import moment
from webui.live.around import NOTHING_AROUND, read_around
from webui.live.hub import Hub
from webui.live.painter import Link, Painter, Painting
from webui.live.picture import Touched
from webui.live.pulse import Pulse
from webui.names import id_of
from webui.overview.glance import Glance, glance
from webui.translation import _

log = structlog.get_logger()

# Time for the first answer, in s: a server that does not give it counts as silent.
OPEN_SECONDS = 2.0
# Time for each overview after it, in s: in a boot storm a large facility takes a while.
READ_SECONDS = 5.0
# The pulse beats once a second; so long without one, in s, and the connection is dead.
SILENCE_SECONDS = 3.0
# So long without any word, in s, and the page says so, whatever is being tried by then. With what
# the way to the browser takes it is told within one heartbeat of a unit server, 5 s.
TOLD_SECONDS = 4.0
# Events are gathered for so long, in s, before the overview is read again.
GATHER_SECONDS = 0.2
# Read again after so long without any event, in s: some of it (a grace that ends) is no event.
QUIET_SECONDS = 5.0
# What stands beside the units is read so often, in s.
AROUND_SECONDS = 2.0
# A stream that lasted longer than this, in s, was no refusal.
STEADY_SECONDS = 5.0
# More changed units than this between two pictures are told as "many".
MOST_TOUCHED = 256

_WATCHED = (
    kind_pb2.KIND_CONTROL_UNIT,
    kind_pb2.KIND_CONTROL_UNIT_STATUS,
    kind_pb2.KIND_UNIT_SERVER,
    kind_pb2.KIND_UNIT_SERVER_STATUS,
    # Of these the overview tells little, but lists show them.
    kind_pb2.KIND_AGENT,
    kind_pb2.KIND_MAINTENANCE,
    kind_pb2.KIND_OPERATION,
    kind_pb2.KIND_POLICY,
    kind_pb2.KIND_SNAPSHOT,
    kind_pb2.KIND_TEMPLATE,
)
_SHOWN_AS = {
    "control_unit_statuses": "control_units",
    "unit_server_statuses": "unit_servers",
}


class LinkLost(Exception):
    """The server ended a stream, or went silent."""


class Feed:
    """Keeps a hub's picture and pulse current, for as long as it runs."""

    def __init__(self, client: Client, hub: Hub, painter: Painter) -> None:
        self._client = client
        self._hub = hub
        self._painter = painter
        self._address = client.written
        self._view: Glance | None = None
        self._around = NOTHING_AROUND
        self._changed = asyncio.Event()
        self._touched = Touched(limit=MOST_TOUCHED)
        self._contacts: dict[str, int] = {}
        self._silence: asyncio.TimerHandle | None = None
        self._show(Link("waiting", self._address))

    @property
    def is_live(self) -> bool:
        return self._hub.picture.link == "live"

    async def run(self) -> NoReturn:
        """Follows, loses, comes back; ends only when cancelled."""
        try:
            await self._follow_on()
        finally:
            if self._silence is not None:
                self._silence.cancel()

    async def _follow_on(self) -> NoReturn:
        backoff = Backoff(first=0.2, longest=2.0)
        while True:
            try:
                overview = await self._open()
            except ClientError as failure:
                self._lose(failure)
                await asyncio.sleep(backoff.next())
                continue
            except Exception:  # the top of a background loop: it goes on
                log.exception("overview_not_drawn")
                self._around = NOTHING_AROUND  # perhaps it was that
                self._show(self._stale(_("What it answers cannot be shown; the log says why.")))
                await asyncio.sleep(backoff.next(at_least=1.0))
                continue
            log.info("following", server=self._client.address, revision=overview.revision)
            begun_s = time.monotonic()
            try:
                await self._follow(overview)
            except* (ClientError, LinkLost) as failures:
                # Another replica may answer at once; only if none does, the page says so.
                log.warning("stream_ended", reasons=[str(e) for e in failures.exceptions])
                if time.monotonic() - begun_s > STEADY_SECONDS:
                    backoff.reset()
                else:  # who is refused a stream at once would ask as fast as it is answered
                    await asyncio.sleep(backoff.next())
            except* Exception:
                log.exception("following_failed")
                self._around = NOTHING_AROUND
                await asyncio.sleep(backoff.next(at_least=1.0))

    async def _open(self) -> position_pb2.Position:
        """Reads the overview for the first time; its position is where the watch begins."""
        overview = await self._client.overview.GetOverview(
            overview_pb2.GetOverviewRequest(), timeout=OPEN_SECONDS
        )
        self._touched.take()
        self._contacts = _contacts_in(overview)
        self._show_overview(overview, touched=None)
        return overview.position

    async def _follow(self, position: position_pb2.Position) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(position), name="watch")
            tasks.create_task(self._pulse(), name="pulse")
            tasks.create_task(self._read_again(), name="read_again")
            tasks.create_task(self._look_around(), name="look_around")

    async def _watch(self, position: position_pb2.Position) -> NoReturn:
        request = watch_pb2.WatchRequest(
            position=position, kinds=_WATCHED, view=view_pb2.VIEW_BASIC
        )
        stream = self._client.watch.Watch(request)
        try:
            async for change in stream:
                for event in change.events:
                    self._touched.add(_shown_as(event.name))
                    if event.former_name:  # which pages show until they are told
                        self._touched.add(_shown_as(event.former_name))
                if change.events:
                    self._changed.set()
        finally:
            stream.cancel()
        raise LinkLost("the server ended the watch")

    async def _pulse(self) -> NoReturn:
        stream = self._client.overview.Pulse(overview_pb2.PulseRequest())
        beats = aiter(stream)
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    self._hub.beat(_pulse_in(await anext(beats)))
                self._hear()
        except TimeoutError:
            raise LinkLost(f"no pulse for {SILENCE_SECONDS} s") from None
        except StopAsyncIteration:
            raise LinkLost("the server ended the pulse") from None
        finally:
            stream.cancel()

    async def _read_again(self) -> NoReturn:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(QUIET_SECONDS):
                    await self._changed.wait()
                    await asyncio.sleep(GATHER_SECONDS)
            self._changed.clear()
            touched, self._touched = self._touched, Touched(limit=MOST_TOUCHED)
            overview = await self._client.overview.GetOverview(
                overview_pb2.GetOverviewRequest(), timeout=READ_SECONDS
            )
            for name in self._turned(overview):
                touched.add(name)
            self._show_overview(overview, touched=touched.take())

    def _turned(self, overview: overview_pb2.GetOverviewResponse) -> list[str]:
        """Unit servers whose contact is another one than before. Some contacts turn by the clock:
        who grows suspect, and all of them while the server is blind, are no events."""
        before, self._contacts = self._contacts, _contacts_in(overview)
        return [name for name, now in self._contacts.items() if before.get(name, now) != now]

    async def _look_around(self) -> NoReturn:
        """Shows what stands beside the units, and tells of new changes, whatever they are about.
        Where it cannot be read it is unknown, and the units are shown all the same."""
        while True:
            try:
                answered_by = self._view.replica if self._view else ""
                around = await read_around(self._client, answered_by=answered_by)
            except ClientError as failure:
                log.info("around_not_read", reason=str(failure))
                around = NOTHING_AROUND
            if around != self._around:
                before, self._around = self._around, around
                touched = around.change_sets - before.change_sets
                self._show(Link("live", self._address), touched=touched)
            await asyncio.sleep(AROUND_SECONDS)

    def _show_overview(
        self, overview: overview_pb2.GetOverviewResponse, *, touched: frozenset[str] | None
    ) -> None:
        view = glance(overview)
        painting = self._painter.paint(view, Link("live", self._address), self._around)
        # Kept only when it can be drawn: a lost link draws it once more.
        self._view = view
        self._publish("live", painting, touched=touched)
        self._hear()

    def _hear(self) -> None:
        """There was a word; the next one is waited for."""
        if self._silence is not None:
            self._silence.cancel()
        later = asyncio.get_running_loop().call_later
        self._silence = later(TOLD_SECONDS, self._fall_silent)

    def _fall_silent(self) -> None:
        if self.is_live:
            log.warning("link_lost", reason=f"no word for {TOLD_SECONDS} s")
            self._show(self._stale(_("It cannot be reached.")))

    def _lose(self, failure: ClientError) -> None:
        if self.is_live:
            log.warning("link_lost", reason=str(failure))
        self._show(self._stale(_reason(failure)))

    def _stale(self, reason: str) -> Link:
        if self._view is None:
            return Link("waiting", self._address, reason=reason)
        return Link("stale", self._address, self._view.time, reason)

    def _show(self, link: Link, *, touched: frozenset[str] = frozenset()) -> None:
        painting = self._painter.paint(self._view, link, self._around)
        self._publish(link.state, painting, touched=touched)

    def _publish(
        self, link: str, painting: Painting, *, touched: frozenset[str] | None = frozenset()
    ) -> None:
        self._hub.show(link=link, pieces=painting.pieces, lists=painting.lists, touched=touched)


def _shown_as(name: str) -> str:
    """The name under which pages show what a resource tells."""
    collection = name.partition("/")[0]
    return f"{_SHOWN_AS.get(collection, collection)}/{id_of(name)}"


def _contacts_in(overview: overview_pb2.GetOverviewResponse) -> dict[str, int]:
    statuses = (row.status for row in overview.unit_server_summaries)
    return {status.unit_server: status.contact for status in statuses}


def _pulse_in(told: overview_pb2.PulseResponse) -> Pulse:
    now_us = told.time.ToMicroseconds()
    clock = moment(told.time, today=told.time.ToDatetime(tzinfo=UTC)).text
    heard = {id_of(one.unit_server): now_us - one.age.ToMicroseconds() for one in told.beats}
    return Pulse(now_us, clock, heard)


def _reason(failure: ClientError) -> str:
    """Why there is no answer, in a sentence; transport errors are for the log, not for people."""
    if isinstance(failure, Refused):
        said = {"reason": failure.reason, "message": failure.message.rstrip(".")}
        return _("It answered %(reason)s: %(message)s.") % said
    return _("It cannot be reached.")
