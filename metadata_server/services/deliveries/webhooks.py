"""What can be asked of webhooks besides what people declare; one public method a call."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from metadata_server.domain.change import Caller, Position
from metadata_server.domain.deliveries.delivery import (
    Delivery,
    DeliveryState,
    DeliveryType,
    WebhookStatus,
)
from metadata_server.domain.deliveries.signature import EXPECTED, Secret, key_of
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.horizon import check_position
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.page import not_a_token, page_size
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.watch import Notice
from metadata_server.services.deliveries.postings import Posting, Sender, notice_of
from metadata_server.services.deliveries.webhook_run import after_try, bodied
from metadata_server.store import requests
from metadata_server.store.deliveries.webhook_deliveries import (
    add_delivery,
    deliveries_before,
    delivery_of,
    give_up_pending,
    secrets_of,
    set_secret,
    write_delivery,
)
from metadata_server.store.deliveries.webhooks import begin_course, courses_of, rewind
from metadata_server.store.intent.absence import absent
from metadata_server.store.orchestration.operation_lists import place_in, token_of
from metadata_server.store.past.changes import kept_from
from metadata_server.store.schema import webhook as table
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

STATUSES, DELIVERIES = "webhook statuses", "webhook deliveries"
KEEP_OLD_US = 86_400_000_000
LONGEST_KEPT_US = 30 * KEEP_OLD_US


@dataclass(frozen=True, slots=True)
class StatusPage:
    """How some webhooks stand, by id."""

    statuses: Sequence[WebhookStatus]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries of a webhook, the newest first."""

    deliveries: Sequence[Delivery]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that is sent once, at once."""

    webhook: Webhook
    delivery: Delivery
    notice: Notice
    secrets: tuple[Secret, ...] = field(repr=False)


class Webhooks:
    """Tells how webhooks stand, and does what people ask of them.

    Args:
        replica: its name, for people.
    """

    def __init__(self, store: Store, sender: Sender, *, replica: str) -> None:
        self._store = store
        self._sender = sender
        self._replica = replica

    async def statuses(self, ids: Collection[str], *, size: int, token: str) -> Answer[StatusPage]:
        """A page of how webhooks stand; no ids: of all.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        return await self._store.read(lambda unit: status_page(unit, ids, size=size, token=token))

    async def deliveries(self, id: str, *, size: int, token: str) -> Answer[DeliveryPage]:
        """A page of the deliveries of a webhook.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        return await self._store.read(lambda unit: delivery_page(unit, id, size=size, token=token))

    async def set_secret(
        self,
        caller: Caller,
        id: str,
        text: str,
        *,
        keep_old_us: int | None,
        validate_only: bool,
    ) -> Answer[None]:
        """Gives a webhook another secret; empty: none.

        Args:
            keep_old_us: how long the one before is used, too; None: a day.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, INVALID_FIELD, REQUEST_ID_REUSED.
        """
        keep_us = KEEP_OLD_US if keep_old_us is None else keep_old_us
        check_secret(text, keep_us)

        def work(unit: UnitOfWork) -> None:
            if not validate_only and requests.repeated(unit) is not None:
                return
            key = unit.resources.get(Webhook, id, lock=True).meta.key
            if validate_only:
                return
            new = Secret(
                text=text,
                set_time_us=unit.now_us,
                author=caller.principal.name,
                reason=caller.reason,
            )
            set_secret(unit, key, [new] if text else [], keep_old_us=keep_us)
            requests.remember(unit, {})

        return await self._store.transact(work, caller=caller)

    async def test(self, id: str) -> Answer[Delivery]:
        """Sends a ping.

        Raises:
            Refused: WEBHOOK_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Prepared:
            webhook = unit.resources.get(Webhook, id)
            ping = once(webhook, DeliveryType.PING, unit.position, unit.position)
            return prepared(unit, webhook, ping)

        return await self._send(await self._store.transact(work))

    async def redeliver(self, id: str, delivery: str) -> Answer[Delivery]:
        """Sends what a delivery had once more.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND, HISTORY_TRIMMED, HISTORY_RESET.
        """

        def work(unit: UnitOfWork) -> Prepared:
            webhook = unit.resources.get(Webhook, id)
            first = delivery_of(unit, webhook.meta.key, delivery)
            if first is None:
                raise Refused.not_found(
                    "DELIVERY_NOT_FOUND",
                    f"{webhook.name} has made no delivery {delivery[:80]!r}, or it is not kept "
                    "any more.",
                    name=webhook.name,
                    delivery=delivery[:80],
                )
            kind = DeliveryType.REDELIVERY
            if first.type is DeliveryType.PING:
                kind = DeliveryType.PING
            again = once(webhook, kind, first.after, first.position)
            return prepared(unit, webhook, replace(again, redelivery_of=first.id))

        return await self._send(await self._store.transact(work))

    async def _send(self, answer: Answer[Prepared]) -> Answer[Delivery]:
        one = answer.value
        body, view = await bodied(self._sender, one.notice, one.webhook.view)
        outcome = await self._sender.send(
            Posting(one.webhook.url, one.delivery, body, view, one.secrets)
        )

        def work(unit: UnitOfWork) -> Delivery:
            tried = after_try(one.delivery, outcome, unit.now_us, self._replica)
            if not outcome.has_arrived:
                tried = replace(tried, state=DeliveryState.FAILED)
            write_delivery(unit, tried)
            return tried

        return await asyncio.shield(self._store.transact(work))

    async def rewind(self, id: str, position: Position | None) -> Answer[WebhookStatus]:
        """Has a webhook go on after another position; None: after the present one.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, HISTORY_TRIMMED, HISTORY_RESET.
        """

        def work(unit: UnitOfWork) -> WebhookStatus:
            webhook = unit.resources.get(Webhook, id, lock=True)
            wanted = position or unit.position
            kept = kept_from(unit, webhook.wanted.followed)
            check_position(wanted, unit.position, kept_from=kept)
            rewind(unit, webhook.meta.key, wanted)
            give_up_pending(unit, webhook.meta.key, "Somebody has had it go on elsewhere.")
            return statuses_of(unit, [webhook])[0]

        return await self._store.transact(work)


def check_secret(text: str, keep_us: int) -> None:
    """Raises: Refused: INVALID_FIELD, never with the secret."""
    faults = []
    if text and key_of(text) is None:
        faults.append(WrongField("secret", "…", f"{EXPECTED}, or nothing for no secret"))
    if not 0 <= keep_us <= LONGEST_KEPT_US:
        faults.append(WrongField("keep_old", f"{keep_us // 1_000_000} s", "0 s to 30 days"))
    if faults:
        raise Refused.wrong_fields(faults)


def once(webhook: Webhook, type_: DeliveryType, after: Position, position: Position) -> Delivery:
    """A delivery that is sent once."""
    return Delivery(
        webhook_key=webhook.meta.key,
        number=0,
        id="",
        type=type_,
        after=after,
        position=position,
    )


def prepared(unit: UnitOfWork, webhook: Webhook, wanted: Delivery) -> Prepared:
    """Takes a delivery down before it is sent.

    Raises:
        Refused: HISTORY_TRIMMED, HISTORY_RESET.
    """
    notice = notice_of(unit, webhook.wanted, wanted)
    begin_course(unit, webhook.meta.key)
    made = add_delivery(unit, replace(wanted, events=len(notice.events)), fence=None)
    secrets = secrets_of(unit, [webhook.meta.key]).get(webhook.meta.key, ())
    return Prepared(webhook, made, notice, secrets)


def status_page(unit: UnitOfWork, ids: Collection[str], *, size: int, token: str) -> StatusPage:
    count = page_size(size)
    after = id_in(token) if token else ""
    known = unit.resources.find(Webhook, ids)
    for id in ids:
        if id not in known:
            raise absent(unit.connection, Kind.WEBHOOK, id)
    if ids:
        found = [known[id] for id in sorted(known) if id > after][: count + 1]
    else:
        found = unit.resources.where(Webhook, table.c.id > after, limit=count + 1)
    more = token_of(STATUSES, [found[count - 1].id]) if len(found) > count else ""
    return StatusPage(statuses_of(unit, found[:count]), more)


def id_in(token: str) -> str:
    """Raises: Refused: INVALID_PAGE_TOKEN."""
    place = place_in(token, STATUSES)
    if len(place) != 1 or type(place[0]) is not str or not BEGINS_AN_ID.match(place[0]):
        raise not_a_token(token)
    return place[0]


def statuses_of(unit: UnitOfWork, webhooks: Sequence[Webhook]) -> list[WebhookStatus]:
    """How webhooks stand, in their order."""
    keys = [each.meta.key for each in webhooks]
    courses, secrets = courses_of(unit, keys), secrets_of(unit, keys)
    return [
        WebhookStatus(
            each.id,
            each.enabled,
            courses.get(each.meta.key),
            secrets.get(each.meta.key, ()),
        )
        for each in webhooks
    ]


def delivery_page(unit: UnitOfWork, id: str, *, size: int, token: str) -> DeliveryPage:
    count = page_size(size)
    webhook = unit.resources.get(Webhook, id)
    before = number_in(token, webhook.meta.key) if token else None
    found = deliveries_before(unit, webhook.meta.key, before, count + 1)
    more = ""
    if len(found) > count:
        more = token_of(DELIVERIES, [webhook.meta.key, found[count - 1].number])
    return DeliveryPage(found[:count], more)


def number_in(token: str, key: int) -> int:
    """Raises: Refused: INVALID_PAGE_TOKEN."""
    place = place_in(token, DELIVERIES)
    if len(place) != 2 or place[0] != key or type(place[1]) is not int:
        raise not_a_token(token)
    return place[1]
