"""What a webhook is told of when what it waited for is not kept any more, and what filters do."""

from dataclasses import replace

from sqlalchemy import update

from metadata_server.domain.deliveries.delivery import DeliveryState, DeliveryType
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.names import Kind
from metadata_server.services.past.trimming import DAY_US, Trimming
from metadata_server.store import schema
from metadata_server.store.deliveries.webhook_tables import webhook_delivery
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import write
from tests.stages.waiting import until
from tests.webhooks.conftest import CALLER, Part
from tests.webhooks.receiver import Receiver


async def grow_old(store: Store) -> None:
    """Everything happened 31 days earlier."""

    def work(unit: UnitOfWork) -> None:
        for column in (schema.change_set.c.time_us, webhook_delivery.c.end_time_us):
            earlier = {column.name: column - 31 * DAY_US}
            unit.connection.execute(update(column.table).values(earlier))
        unit.connection.execute(update(schema.chore).values(due_us=0))

    await store.transact(work)


async def trim(store: Store) -> None:
    trimming = Trimming(store, kept_days={Kind.VARIABLE: 30}, request_days=365, delivery_days=30)
    await trimming.trim()


async def test_what_is_not_kept_any_more_is_told_as_missed(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")
    await receiver.until(lambda: len(receiver.names()) == 1)
    followers = part.tailer.followers
    await part.change(enabled=False)
    # What a replica tells anybody, it remembers for a while.
    await until(lambda: part.tailer.followers < followers)
    for _ in range(3):
        await write(part.store, "A")
    await grow_old(part.store)
    await write(part.store, "A")
    await trim(part.store)
    await part.change(enabled=True)
    await receiver.until(
        lambda: any(each.headers["Mds-Event"] == "missed" for each in receiver.arrived)
    )
    last = await write(part.store, "B")
    await receiver.until(lambda: receiver.names()[-1:] == ["variables/B"])
    missed = next(each for each in receiver.arrived if each.headers["Mds-Event"] == "missed")
    assert "events" not in missed.content
    course = (await part.status()).course
    assert course is not None
    assert course.gap is not None
    assert course.gap.reason == "HISTORY_TRIMMED"
    assert course.gap.after.revision < course.gap.position.revision < last.revision


async def test_the_record_of_deliveries_is_trimmed(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.SCRIPT,))
    await part.webhooks.test("hook")
    await grow_old(part.store)
    await part.webhooks.test("hook")
    await trim(part.store)
    (left,) = await part.deliveries()
    assert (left.number, left.type, left.state) == (
        2,
        DeliveryType.PING,
        DeliveryState.DELIVERED,
    )


async def label(store: Store, id: str, **labels: str) -> None:
    def work(unit: UnitOfWork) -> None:
        there = unit.resources.find(Variable, [id], lock=True).get(id, Variable(id=id))
        unit.save(replace(there, labels=labels))

    await store.transact(work, caller=CALLER)


async def test_a_filter_says_what_comes_in_and_what_leaves_also_after_a_failure(
    part: Part, receiver: Receiver
) -> None:
    receiver.answers.append((500, {}))
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,), filter="label:hot")
    await label(part.store, "A")
    await label(part.store, "A", hot="yes")
    await label(part.store, "A", hot="no")
    await label(part.store, "A")
    await label(part.store, "A", cold="yes")

    def actions() -> list[str]:
        events = [event for each in receiver.arrived for event in each.content["events"]]
        return [event["action"].removeprefix("EVENT_ACTION_") for event in events]

    await receiver.until(lambda: len(actions()) == 3)
    assert actions() == ["CREATED", "UPDATED", "LEFT"]
    assert len({each.id for each in receiver.received[:2]}) == 1


async def test_who_is_deleted_leaves_nothing_behind(part: Part, receiver: Receiver) -> None:
    from metadata_server.domain.deliveries.webhook import Webhook
    from metadata_server.services.intent.resources import Resources
    from metadata_server.store.deliveries.webhook_tables import webhook_secret
    from tests.webhooks.conftest import SECRET

    await part.declare(receiver.url, kinds=(Kind.SCRIPT,))
    await part.webhooks.set_secret(CALLER, "hook", SECRET, keep_old_us=None, validate_only=False)
    await part.webhooks.test("hook")
    await Resources(part.store).delete(CALLER, Webhook, "hook", etag="*", validate_only=False)

    def rows(unit: UnitOfWork) -> int:
        tables = (webhook_secret, webhook_delivery)
        return sum(len(unit.connection.execute(each.select()).all()) for each in tables)

    async def none_left() -> bool:
        return (await part.store.read(rows)).value == 0

    await until(none_left, what="no rows of the webhook")
