"""A store, and replicas of it as far as webhooks are concerned, in this process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from metadata_server.api.webhook_sending import WebhookSender
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.deliveries.delivery import Delivery, WebhookStatus
from metadata_server.domain.deliveries.targets import Targets
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import WEBHOOK_DELIVERY, WEBHOOK_STATUS
from metadata_server.services.deliveries.delivering import Delivering
from metadata_server.services.deliveries.webhooks import Webhooks
from metadata_server.services.intent.resources import Resources
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store
from tests.webhooks.receiver import Receiver, receiving

CALLER = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
SECRET = "whsec_" + "A" * 32
OTHER_SECRET = "whsec_" + "B" * 32


@dataclass(frozen=True)
class Part:
    """What one replica does about webhooks."""

    store: Store
    tailer: Tailer
    delivering: Delivering
    webhooks: Webhooks

    async def declare(self, url: str, **content: Any) -> None:
        wanted = Webhook(id="hook", url=url, **content)
        await Resources(self.store).create(CALLER, wanted, validate_only=False)

    async def change(self, **content: Any) -> None:
        await Resources(self.store).update(
            CALLER,
            Webhook,
            "hook",
            etag="*",
            change=lambda before: replace(before, **content),
            validate_only=False,
        )

    async def webhook(self) -> Webhook:
        return (await Resources(self.store).get(Webhook, "hook")).value

    async def status(self) -> WebhookStatus:
        page = await self.webhooks.statuses(["hook"], AskedList(word=WEBHOOK_STATUS))
        return page.value.items[0]

    async def deliveries(self) -> list[Delivery]:
        """The newest first."""
        page = await self.webhooks.deliveries("hook", AskedList(word=WEBHOOK_DELIVERY))
        return list(page.value.items)


@asynccontextmanager
async def part_of(
    store: Store, *, name: str = "one", targets: str = "loopback"
) -> AsyncIterator[Part]:
    tailer = Tailer(store)
    sender = WebhookSender(Targets.of(targets), timeout_s=2, registry=CollectorRegistry())
    delivering = Delivering(store, tailer, sender, replica=name)
    tasks = [asyncio.create_task(each.run()) for each in (tailer, delivering)]
    try:
        yield Part(store, tailer, delivering, Webhooks(store, sender, replica=name))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sender.close()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with opened_store(database) as store:
        yield store


@pytest.fixture
async def part(store: Store) -> AsyncIterator[Part]:
    async with part_of(store) as part:
        yield part


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack
