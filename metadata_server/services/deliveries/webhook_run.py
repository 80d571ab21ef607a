"""One webhook on the replica that delivers it: what happens is followed, taken down as a delivery,
and sent until it has arrived; then what comes next."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from metadata_server.domain.change import Caller, Position, Principal
from metadata_server.domain.deliveries.delivery import (
    GONE,
    Course,
    Delivery,
    DeliveryState,
    DeliveryType,
    Gap,
    Outcome,
    pause_s,
)
from metadata_server.domain.deliveries.signature import Secret
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.refused import Refused
from metadata_server.domain.watch import Event, Notice, View
from metadata_server.services.deliveries.postings import Posting, Sender, notice_of
from metadata_server.services.intent.resources import Resources
from metadata_server.services.watching.subscription import Subscription
from metadata_server.services.watching.tailer import Tailer
from metadata_server.services.watching.watch import Watching
from metadata_server.store.deliveries.webhook_deliveries import (
    add_delivery,
    give_up_pending,
    pending_delivery,
    secrets_of,
    write_delivery,
)
from metadata_server.store.deliveries.webhooks import (
    NO_FAILURE,
    course_of,
    gap_text,
    position_columns,
    webhook_of,
    write_course,
)
from metadata_server.store.orchestration.operations import Fenced
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

MOST_EVENTS = 500
"""A delivery takes no further revision beyond so many."""
FEW_EVENTS = 50
"""The body of so few is made on the event loop, that of more in a thread."""
MOST_BYTES = 8 * 1024 * 1024
"""Of a body; what is larger is sent with names only, for a revision is never split."""
LISTEN_S = 1.0
SAVE_S = 30.0
"""How often it is written down how far a webhook is that nothing happens to."""
WHY_DISABLED = "The receiver answered 410 Gone."
TRIMMED = frozenset({"HISTORY_TRIMMED", "HISTORY_RESET"})
COMES_AGAIN = frozenset({"WATCHER_TOO_SLOW"})
log = structlog.get_logger()


@dataclass(slots=True)
class Grip:
    """That a replica delivers a webhook.

    Attributes:
        sure_until_s: until when nobody else does, by the monotonic clock of this process.
    """

    key: int
    fence: int
    replica: str
    sure_until_s: float

    def check(self) -> None:
        """Raises: Fenced: another replica may deliver by now."""
        if time.monotonic() >= self.sure_until_s:
            raise Fenced


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is known of a webhook when its run begins, or begins again."""

    webhook: Webhook
    course: Course
    secrets: tuple[Secret, ...] = field(repr=False)
    pending: Delivery | None


class WebhookRun:
    """Delivers one webhook."""

    def __init__(
        self, store: Store, tailer: Tailer, watching: Watching, sender: Sender, grip: Grip
    ) -> None:
        self._store = store
        self._tailer = tailer
        self._watching = watching
        self._sender = sender
        self._grip = grip
        self._changed = asyncio.Event()
        self._saved_s = time.monotonic()

    def look_again(self) -> None:
        """The webhook has been changed."""
        self._changed.set()

    async def run(self) -> None:
        """Delivers until the webhook is gone or disabled.

        Raises:
            Fenced: another replica delivers it.
            Refused: DRAINING, DATABASE_UNAVAILABLE, CONTENTION.
        """
        while True:
            self._changed.clear()
            loaded = (await self._store.read(partial(load, key=self._grip.key))).value
            if loaded is None or not loaded.webhook.enabled:
                return
            if loaded.course.fence != self._grip.fence:
                raise Fenced
            if loaded.pending is not None:
                await self._go_on(loaded, loaded.pending)
            else:
                await self._follow(loaded)

    async def _go_on(self, loaded: Loaded, pending: Delivery) -> None:
        """Goes on with a delivery that was begun before, perhaps by another replica."""
        wanted = loaded.webhook.wanted
        try:
            made = await self._store.read(lambda unit: notice_of(unit, wanted, pending))
        except Refused as refused:
            if refused.reason not in TRIMMED:
                raise
            await self._miss(loaded, refused)
            return
        await self._deliver(loaded, pending, made.value)

    async def _follow(self, loaded: Loaded) -> None:
        """Delivers what happens until something goes wrong, or the webhook is changed."""
        webhook, position = loaded.webhook, loaded.course.position
        try:
            async with self._tailer.subscribe(position, kinds=webhook.wanted.followed) as changes:
                while not self._changed.is_set():
                    events, reached = await self._gather(changes, webhook)
                    if events:
                        if not await self._deliver_all(loaded, position, events, reached):
                            return
                        position = reached
                    elif reached > position:
                        position = reached
                        await self._save_now_and_then(position)
        except Refused as refused:
            if refused.reason in TRIMMED:
                await self._miss(loaded, refused)
            elif refused.reason not in COMES_AGAIN:
                raise

    async def _gather(
        self, changes: Subscription, webhook: Webhook
    ) -> tuple[tuple[Event, ...], Position]:
        """The next events, with as many that wait as a delivery takes, and up to where they are
        all."""
        batch = await changes.next(LISTEN_S)
        found: list[Event] = []
        while batch is not None:
            found += (await self._watching.notice_of(batch, webhook.wanted)).events
            if len(found) >= MOST_EVENTS:
                break
            batch = await changes.next(0)
        reached = changes.reached if found else changes.position
        assert reached is not None, "it began after a position"
        return tuple(found), reached

    async def _save_now_and_then(self, position: Position) -> None:
        if time.monotonic() - self._saved_s < SAVE_S:
            return
        await self._write(**position_columns(position))

    async def _write(self, **columns: Any) -> None:
        grip = self._grip
        await self._store.transact(lambda unit: write_course(unit, grip.key, grip.fence, **columns))
        self._saved_s = time.monotonic()

    async def _deliver_all(
        self, loaded: Loaded, after: Position, events: tuple[Event, ...], until: Position
    ) -> bool:
        """Delivers events in pieces of whole revisions; False: the rest is to be read again."""
        for piece, position in pieces(events, until):
            wanted = Delivery(
                webhook_key=self._grip.key,
                number=0,
                id="",
                type=DeliveryType.CHANGES,
                after=after,
                position=position,
                events=len(piece),
            )
            made, secrets = await self._add(wanted)
            loaded = replace(loaded, secrets=secrets)
            if not await self._deliver(loaded, made, Notice(position, piece)):
                return False
            after = position
            if self._changed.is_set():
                return False
        return True

    async def _add(self, wanted: Delivery) -> tuple[Delivery, tuple[Secret, ...]]:
        """Takes a delivery down; also what it is signed with now."""
        grip = self._grip

        def work(unit: UnitOfWork) -> tuple[Delivery, tuple[Secret, ...]]:
            made = add_delivery(unit, wanted, fence=grip.fence)
            return made, secrets_of(unit, [grip.key]).get(grip.key, ())

        return (await self._store.transact(work)).value

    async def _deliver(self, loaded: Loaded, delivery: Delivery, notice: Notice) -> bool:
        """Sends once; False: it has not arrived, and the pause before the next try is over."""
        body, view = await bodied(self._sender, notice, loaded.webhook.view)
        self._grip.check()
        posting = Posting(loaded.webhook.url, delivery, body, view, loaded.secrets)
        outcome = await self._sender.send(posting)
        pause = pause_s(delivery.attempts + 1, outcome.retry_after_s)
        await self._take_down(loaded, delivery, outcome, pause)
        if outcome.has_arrived:
            return True
        if outcome.http_status == GONE:
            await disable(self._store, loaded.webhook)
        else:
            await self._pause(pause)
        return False

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _take_down(
        self, loaded: Loaded, delivery: Delivery, outcome: Outcome, pause: float
    ) -> None:
        """Writes what came of one try."""
        grip = self._grip
        tell(loaded, outcome)

        def work(unit: UnitOfWork) -> None:
            tried = after_try(delivery, outcome, unit.now_us, grip.replica)
            if outcome.has_arrived:
                columns = {
                    **position_columns(delivery.position),
                    **NO_FAILURE,
                    "delivery_time_us": unit.now_us,
                }
            else:
                since_us = loaded.course.failing_since_us or delivery.create_time_us
                columns = {
                    "failing_since_us": since_us,
                    "next_time_us": unit.now_us + round(pause * 1_000_000),
                    "attempts": tried.attempts,
                    "http_status": outcome.http_status,
                    "error": outcome.error,
                }
            write_course(unit, grip.key, grip.fence, **columns)
            write_delivery(unit, tried)

        await self._store.transact(work)
        self._saved_s = time.monotonic()

    async def _miss(self, loaded: Loaded, why: Refused) -> None:
        """What came after is not kept any more: says so, and goes on from now."""
        grip = self._grip
        log.warning("webhook_missed_changes", webhook=loaded.webhook.id, reason=why.reason)

        def work(unit: UnitOfWork) -> None:
            present, course = unit.position, course_of(unit, grip.key)
            # What was delivered since this run has loaded is not missed.
            after = course.position if course is not None else loaded.course.position
            gap = Gap(why.reason, after, present, unit.now_us)
            give_up_pending(unit, grip.key, f"It is not kept any more: {why.reason}.")
            write_course(unit, grip.key, grip.fence, **position_columns(present), gap=gap_text(gap))
            missed = Delivery(
                webhook_key=grip.key,
                number=0,
                id="",
                type=DeliveryType.MISSED,
                after=after,
                position=present,
            )
            add_delivery(unit, missed, fence=grip.fence)

        await self._store.transact(work)


def load(unit: UnitOfWork, key: int) -> Loaded | None:
    """What is known of a webhook; None: it is gone."""
    webhook, course = webhook_of(unit, key), course_of(unit, key)
    if webhook is None or course is None:
        return None
    secrets = secrets_of(unit, [key]).get(key, ())
    return Loaded(webhook, course, secrets, pending_delivery(unit, key))


def pieces(events: tuple[Event, ...], until: Position) -> list[tuple[tuple[Event, ...], Position]]:
    """Events in pieces of whole revisions, each with the position that it leads to."""
    found: list[tuple[tuple[Event, ...], Position]] = []
    begin = 0
    for place in range(1, len(events)):
        revision = events[place - 1].change.revision
        if place - begin >= MOST_EVENTS and events[place].change.revision != revision:
            found.append((events[begin:place], replace(until, revision=revision)))
            begin = place
    return [*found, (events[begin:], until)]


async def bodied(sender: Sender, notice: Notice, view: View) -> tuple[bytes, View]:
    """The body of a notice, and how much of each resource it has."""
    if len(notice.events) <= FEW_EVENTS:
        body = sender.body_of(notice, view)
    else:
        body = await asyncio.to_thread(sender.body_of, notice, view)
    if len(body) <= MOST_BYTES or view is View.BASIC:
        return body, view
    return await asyncio.to_thread(sender.body_of, notice, View.BASIC), View.BASIC


def after_try(delivery: Delivery, outcome: Outcome, now_us: int, replica: str) -> Delivery:
    """A delivery that was tried once more."""
    return replace(
        delivery,
        state=DeliveryState.DELIVERED if outcome.has_arrived else delivery.state,
        attempts=delivery.attempts + 1,
        attempt_time_us=now_us,
        http_status=outcome.http_status,
        duration_us=outcome.duration_us,
        error=outcome.error,
        replica=replica,
    )


def tell(loaded: Loaded, outcome: Outcome) -> None:
    """Logs when a webhook begins to fail, and when it works again."""
    was_failing = bool(loaded.course.failing_since_us)
    if outcome.has_arrived and was_failing:
        log.info("webhook_arrives_again", webhook=loaded.webhook.id)
    elif not outcome.has_arrived and not was_failing:
        log.warning("webhook_fails", webhook=loaded.webhook.id, http_status=outcome.http_status)


async def disable(store: Store, webhook: Webhook) -> None:
    """The receiver has said that it wants nothing more, ever."""
    caller = Caller(
        principal=Principal(webhook.name),
        method="Webhooks.UpdateWebhook",
        reason=WHY_DISABLED,
    )
    await Resources(store).update(
        caller,
        Webhook,
        webhook.id,
        etag="*",
        change=lambda before: replace(before, enabled=False),
        validate_only=False,
    )
