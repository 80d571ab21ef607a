"""Webhooks of which one could not be claimed, while another was."""

from collections.abc import Iterator
from functools import partial
from typing import TypeVar

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.store.database import open_database
from metadata_server.store.deliveries.webhooks import claim_webhook
from metadata_server.store.store import Answer, Store, Work
from tests.stages.layout import bring_up
from tests.stages.opened_store import share_compiled
from tests.webhooks.conftest import CALLER, part_of
from tests.webhooks.receiver import Receiver

T = TypeVar("T")


class AwayAtTheSecondClaim(Store):
    """The database goes away between two claims, and is back at once.

    Attributes:
        claims: webhooks that were to be claimed, by key, in order.
    """

    claims: list[int]

    async def transact(self, work: Work[T], *, caller: Caller | None = None) -> Answer[T]:
        if isinstance(work, partial) and work.func is claim_webhook:
            self.claims.append(work.keywords["key"])
            if len(self.claims) == 2:
                raise Refused.busy("DATABASE_UNAVAILABLE", "It is away.", retry_after_ms=1)
        return await super().transact(work, caller=caller)


@pytest.fixture
def store(sqlite_database: str) -> Iterator[AwayAtTheSecondClaim]:
    store = AwayAtTheSecondClaim(opened := open_database(sqlite_database))
    store.claims = []
    share_compiled(opened)
    try:
        bring_up(opened)
        yield store
    finally:
        store.close()


async def test_what_was_claimed_before_a_refusal_is_delivered_without_waiting_for_its_lease(
    store: AwayAtTheSecondClaim, receiver: Receiver
) -> None:
    resources = Resources(store)
    for id in ("first", "second"):
        wanted = Webhook(id=id, url=receiver.url + "?" + id)
        await resources.create(CALLER, wanted, validate_only=False)
    await resources.create(CALLER, Variable(id="v", value="1"), validate_only=False)
    async with part_of(store):
        await receiver.until(lambda: receiver.names().count("variables/v") == 2)
    claimed, refused, again = store.claims
    assert claimed != refused == again, "none was claimed a second time but that which was refused"
