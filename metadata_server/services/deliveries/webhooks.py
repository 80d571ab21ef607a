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
from metadata_server.domain.filter.asked_list import AskedList, ListPage, page_of
from metadata_server.domain.horizon import check_position
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.watch import Notice
from metadata_server.services.deliveries.postings import Posting, Sender, notice_of
from metadata_server.services.deliveries.webhook_run import after_try, bodied
from metadata_server.store import requests
from metadata_server.store.deliveries.webhook_deliveries import (
    add_delivery,
    delivery_of,
    delivery_page,
    give_up_pending,
    secrets_of,
    set_secret,
    write_delivery,
)
from metadata_server.store.deliveries.webhooks import begin_course, courses_of, rewind
from metadata_server.store.intent.scopes import ids_there
from metadata_server.store.past.changes import kept_from
from metadata_server.store.past.moments import position_at
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

KEEP_OLD_US = 86_400_000_000
LONGEST_KEPT_US = 30 * KEEP_OLD_US


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

    async def statuses(
        self, ids: Collection[str], asked: AskedList
    ) -> Answer[ListPage[WebhookStatus]]:
        """A page of how webhooks stand; no ids: of all.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """

        def work(unit: UnitOfWork) -> ListPage[WebhookStatus]:
            def tell(some: Collection[str]) -> list[WebhookStatus]:
                return statuses_of(unit, list(unit.resources.find(Webhook, some).values()))

            there = ids_there(unit, Kind.WEBHOOK, ids)
            return page_of(there, tell, asked, now_us=unit.now_us)

        return await self._store.read(work)

    async def deliveries(self, id: str, asked: AskedList) -> Answer[ListPage[Delivery]]:
        """A page of the deliveries of a webhook.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """

        def work(unit: UnitOfWork) -> ListPage[Delivery]:
            return delivery_page(unit, unit.resources.get(Webhook, id).meta.key, asked)

        return await self._store.read(work)

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

    async def rewind(
        self, id: str, position: Position | None, after: str = ""
    ) -> Answer[WebhookStatus]:
        """Has a webhook go on after another position.

        Args:
            position: that position; None: it is that of a moment.
            after: that moment, as people write it; empty: the present.

        Raises:
            Refused: WEBHOOK_NOT_FOUND, INVALID_FIELD, HISTORY_TRIMMED, HISTORY_RESET.
        """
        moment = moment_of(after, field="after")
        if position is not None and moment is not None:
            raise Refused.wrong_fields([WrongField("after", after, "nothing beside a position")])

        def work(unit: UnitOfWork) -> WebhookStatus:
            webhook = unit.resources.get(Webhook, id, lock=True)
            kinds = webhook.wanted.followed
            wanted = position or position_at(unit, moment, kinds)
            kept = kept_from(unit, kinds)
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
