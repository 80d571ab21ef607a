"""Webhooks that were deleted and brought back: under their keys, and to nobody's confusion."""

from contextlib import AsyncExitStack
from functools import partial

import pytest

from metadata_server.domain.change import Position
from metadata_server.domain.deliveries.delivery import Delivery, DeliveryType
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.names import Kind
from metadata_server.services.intent.resources import Resources
from metadata_server.services.past.undo import Undo
from metadata_server.store.deliveries.webhook_deliveries import add_delivery
from metadata_server.store.deliveries.webhooks import claim_webhook, course_of, keep_webhooks
from metadata_server.store.orchestration.operations import Fenced
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.waiting import until
from tests.webhooks.conftest import CALLER, part_of
from tests.webhooks.receiver import Receiver

LEASE_US = 6_000_000


async def declare(store: Store, url: str = "https://example.org/") -> int:
    wanted = Webhook(id="hook", url=url, kinds=(Kind.VARIABLE,))
    return (await Resources(store).create(CALLER, wanted, validate_only=False)).value.meta.key


async def create(store: Store, id: str) -> str:
    wanted = Variable(id=id, value="1")
    return (await Resources(store).create(CALLER, wanted, validate_only=False)).value.name


async def delete(store: Store) -> int:
    """Deletes the webhook; the revision of that."""
    gone = await Resources(store).delete(CALLER, Webhook, "hook", etag="*", validate_only=False)
    return gone.position.revision


async def bring_back(store: Store, revision: int) -> Position:
    back = await Undo(store).undo(CALLER, revision, validate_only=False, skip_invalid=False)
    return back.position


async def claim(store: Store, key: int, replica: str) -> int:
    claiming = partial(claim_webhook, key=key, replica=replica, lease_us=LEASE_US)
    fence = (await store.transact(claiming)).value
    assert fence is not None
    return fence


async def add(store: Store, key: int, fence: int) -> str:
    """The id of another delivery."""

    def work(unit: UnitOfWork) -> str:
        wanted = Delivery(
            webhook_key=key,
            number=0,
            id="",
            type=DeliveryType.CHANGES,
            after=unit.position,
            position=unit.position,
        )
        return add_delivery(unit, wanted, fence=fence).id

    return (await store.transact(work)).value


@pytest.mark.parametrize("times", [1, 2])
async def test_who_delivered_it_before_holds_it_no_more(store: Store, times: int) -> None:
    key = await declare(store)
    before = await claim(store, key, "first")
    await add(store, key, before)
    for _ in range(times):
        await bring_back(store, await delete(store))
    fence = await claim(store, key, "second")
    keeping = partial(keep_webhooks, held={key: before}, lease_us=LEASE_US)
    assert (await store.transact(keeping)).value == set()
    with pytest.raises(Fenced):
        await add(store, key, before)
    await add(store, key, fence)


async def test_no_id_of_a_delivery_comes_twice(store: Store) -> None:
    """Receivers drop what has an id that they have seen."""
    key = await declare(store)
    seen = [await add(store, key, await claim(store, key, "one"))]
    for _ in range(3):
        await bring_back(store, await delete(store))
        fence = await claim(store, key, "one")
        seen += [await add(store, key, fence), await add(store, key, fence)]
    assert len(set(seen)) == len(seen) == 7


async def test_it_begins_where_it_came_back(store: Store) -> None:
    key = await declare(store)
    await claim(store, key, "one")
    gone = await delete(store)
    await create(store, "meanwhile")
    back = await bring_back(store, gone)
    await claim(store, key, "one")
    course = (await store.read(partial(course_of, key=key))).value
    assert course is not None
    assert course.position == back
    assert (course.replica, course.gap) == ("one", None)


async def test_one_replica_delivers_what_came_back_while_another_was_sending(
    store: Store, receiver: Receiver, stack: AsyncExitStack
) -> None:
    first = await stack.enter_async_context(part_of(store, name="first"))
    await declare(store, receiver.url)
    await until(lambda: first.delivering.held == 1, what="the first replica")
    second = await stack.enter_async_context(part_of(store, name="second"))
    receiver.gate.clear()
    await create(store, "under_way")
    await until(lambda: receiver.waiting == 1, what="a delivery under way")
    await bring_back(store, await delete(store))
    await until(lambda: second.delivering.held == 1, what="the second replica")
    receiver.gate.set()
    await until(lambda: first.delivering.held == 0, what="the first replica to let it go")
    wanted = [await create(store, f"later_{number}") for number in range(3)]
    await receiver.until(lambda: wanted[-1] in receiver.names())
    later = [name for each in receiver.received for name in each.names if "later" in name]
    assert later == wanted, "each once"
    bodies = {(each.id, each.body) for each in receiver.received}
    assert len({id for id, _ in bodies}) == len(bodies)
