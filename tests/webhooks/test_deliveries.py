"""What the receivers of webhooks can rely on, on each kind of database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from metadata_server.domain.deliveries.delivery import DeliveryState, DeliveryType, WebhookState
from metadata_server.domain.intent.facility import Script
from metadata_server.domain.moment import EPOCH
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.watch import View
from metadata_server.services.intent.resources import Resources
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import delete, write
from tests.stages.waiting import until
from tests.webhooks.conftest import CALLER, OTHER_SECRET, SECRET, Part, part_of
from tests.webhooks.receiver import Receiver, receiving


async def test_what_happens_is_sent_in_order_and_once(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,), id_prefix="A/")
    for number in range(20):
        await write(part.store, f"A/{number:02}", f"B/{number:02}")
    await delete(part.store, "A/00")
    await receiver.until(lambda: len(receiver.names()) == 21)
    assert receiver.names() == [*(f"variables/A/{n:02}" for n in range(20)), "variables/A/00"]
    assert [each.headers["Mds-Event"] for each in receiver.received] == ["changes"] * len(
        receiver.received
    )
    positions = [int(each.content["position"]["revision"]) for each in receiver.received]
    assert positions == sorted(set(positions))
    status = await part.status()
    assert (status.state, status.course and status.course.failing_since_us) == (
        WebhookState.DELIVERING,
        0,
    )


async def test_the_body_is_the_json_of_a_watch(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    position = await write(part.store, "A")
    await receiver.until(lambda: bool(receiver.arrived))
    body = receiver.arrived[0].content
    (event,) = body["events"]
    assert body["position"]["revision"] == str(position.revision)
    assert (event["action"], event["author"]) == ("EVENT_ACTION_CREATED", "tester")
    assert event["variable"]["name"] == "variables/A"
    assert receiver.arrived[0].headers["Content-Type"] == "application/json"


async def test_the_basic_view_has_no_resources(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,), view=View.BASIC)
    await write(part.store, "A")
    await receiver.until(lambda: bool(receiver.arrived))
    (event,) = receiver.arrived[0].content["events"]
    assert "variable" not in event


async def test_a_failure_is_tried_again_under_the_same_id_and_holds_up_what_follows(
    part: Part, receiver: Receiver
) -> None:
    receiver.usual, receiver.says = 503, "no " * 500
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")
    await until(lambda: failing(part), what="a failing webhook")
    await write(part.store, "B")
    status = await part.status()
    assert status.course is not None
    assert (status.state, status.course.http_status) == (WebhookState.FAILING, 503)
    assert len(status.course.error.encode()) <= 200
    receiver.usual = 200
    await receiver.until(lambda: len(receiver.names()) == 2)
    tries = [each for each in receiver.received if each.id == receiver.received[0].id]
    assert [each.headers["Mds-Attempt"] for each in tries] == [
        str(number) for number in range(1, len(tries) + 1)
    ]
    assert tries == receiver.received[: len(tries)]
    assert receiver.names() == ["variables/A", "variables/B"]
    await until(lambda: well(part), what="a webhook that works again")
    first = (await part.deliveries())[-1]
    assert (first.attempts, first.state, first.error) == (
        len(tries),
        DeliveryState.DELIVERED,
        "",
    )


async def failing(part: Part) -> bool:
    course = (await part.status()).course
    return course is not None and course.failing_since_us > 0


async def well(part: Part) -> bool:
    course = (await part.status()).course
    return course is not None and not course.failing_since_us


async def test_retry_after_is_kept_to(part: Part, receiver: Receiver) -> None:
    receiver.answers.append((429, {"Retry-After": "2"}))
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")
    await receiver.until(lambda: len(receiver.received) == 2)
    first, second = (int(each.headers["webhook-timestamp"]) for each in receiver.received)
    assert second - first >= 2


async def test_gone_disables_the_webhook(part: Part, receiver: Receiver) -> None:
    receiver.answers.append((410, {}))
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")

    async def is_disabled() -> bool:
        return not (await part.webhook()).enabled

    await until(is_disabled, what="a webhook that is disabled")
    assert (await part.status()).state is WebhookState.DISABLED
    await write(part.store, "B")
    await part.change(enabled=True)
    await receiver.until(lambda: len(receiver.names()) == 2)
    assert receiver.names() == ["variables/A", "variables/B"], "nothing is lost meanwhile"


async def test_deliveries_are_signed_also_with_the_secret_before(
    part: Part, receiver: Receiver
) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "unsigned")
    await receiver.until(lambda: len(receiver.arrived) == 1)
    assert "webhook-signature" not in receiver.arrived[0].headers
    for secret in (SECRET, OTHER_SECRET):
        await part.webhooks.set_secret(
            CALLER, "hook", secret, keep_old_us=None, validate_only=False
        )
    await part.change(description="look again")
    ping = (await part.webhooks.test("hook")).value
    assert (ping.type, ping.state) == (DeliveryType.PING, DeliveryState.DELIVERED)
    pinged = receiver.arrived[-1]
    assert pinged.headers["Mds-Event"] == "ping"
    assert pinged.is_signed_with(SECRET)
    assert pinged.is_signed_with(OTHER_SECRET)
    assert not pinged.is_signed_with("whsec_" + "C" * 32)
    await part.webhooks.set_secret(CALLER, "hook", SECRET, keep_old_us=0, validate_only=False)
    await part.webhooks.test("hook")
    assert not receiver.arrived[-1].is_signed_with(OTHER_SECRET)
    assert [each.author for each in (await part.status()).secrets] == ["tester"]


async def test_a_secret_is_used_at_once(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")
    await receiver.until(lambda: len(receiver.arrived) == 1)
    await part.webhooks.set_secret(CALLER, "hook", SECRET, keep_old_us=None, validate_only=False)
    await write(part.store, "B")
    await receiver.until(lambda: len(receiver.arrived) == 2)
    assert receiver.arrived[1].is_signed_with(SECRET)


async def test_a_dead_receiver_costs_others_nothing(part: Part, receiver: Receiver) -> None:
    async with receiving() as dead:
        dead.gate.clear()
        await part.declare(dead.url, kinds=(Kind.VARIABLE,))
        wanted = replace(await part.webhook(), id="other", url=receiver.url)
        await Resources(part.store).create(CALLER, wanted, validate_only=False)
        for number in range(5):
            await write(part.store, f"A/{number}")
        await receiver.until(lambda: len(receiver.names()) == 5, within=10)


async def test_a_delivery_is_sent_once_more_under_a_new_id(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")
    await receiver.until(lambda: len(receiver.arrived) == 1)
    await until(lambda: well(part))
    first = (await part.deliveries())[0]
    again = (await part.webhooks.redeliver("hook", first.id)).value
    assert again.id != first.id
    assert receiver.arrived[1].headers["Mds-Redelivery-Of"] == first.id
    assert receiver.arrived[1].content["events"] == receiver.arrived[0].content["events"]


async def test_going_back_sends_again_all_that_came_since(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")
    begin = await write(part.store, "B")
    await write(part.store, "C")
    await receiver.until(lambda: len(receiver.names()) == 3)
    await part.webhooks.rewind("hook", begin)
    await receiver.until(lambda: len(receiver.names()) == 4, within=30)
    assert receiver.names()[3:] == ["variables/C"]


async def test_going_back_to_a_time_or_a_revision_sends_again_what_came_after_it(
    part: Part, receiver: Receiver
) -> None:
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    first = await write(part.store, "A")
    between = (await part.store.read(lambda unit: unit.now_us)).value
    await write(part.store, "B")
    await receiver.until(lambda: len(receiver.names()) == 2)
    time = EPOCH + timedelta(microseconds=between)
    await part.webhooks.rewind("hook", None, time.isoformat())
    await receiver.until(lambda: len(receiver.names()) == 3, within=30)
    await part.webhooks.rewind("hook", None, str(first.revision - 1))
    await receiver.until(lambda: len(receiver.names()) == 5, within=30)
    assert receiver.names()[2:] == ["variables/B", "variables/A", "variables/B"]


async def test_going_on_from_now_leaves_out_what_could_not_be_sent(
    part: Part, receiver: Receiver
) -> None:
    receiver.usual = 503
    await part.declare(receiver.url, kinds=(Kind.VARIABLE,))
    await write(part.store, "A")
    await until(lambda: failing(part), what="a failing webhook")
    await part.webhooks.rewind("hook", None)
    receiver.usual = 200
    await write(part.store, "B")
    await receiver.until(lambda: receiver.names() == ["variables/B"], within=30)


async def test_where_to_go_on_is_said_once_and_in_good_words(
    part: Part, receiver: Receiver
) -> None:
    await part.declare(receiver.url)
    position = await write(part.store, "A")
    for where, after, reason in (
        (position, "2026-11-15T03:12:00+01:00", "INVALID_FIELD"),
        (None, "yesterday", "INVALID_FIELD"),
        (None, str(position.revision + 100), "HISTORY_RESET"),
    ):
        with pytest.raises(Refused, match=reason):
            await part.webhooks.rewind("hook", where, after)


async def test_a_revision_is_never_split(part: Part, receiver: Receiver) -> None:
    await part.declare(receiver.url, kinds=(Kind.SCRIPT,))

    def work(unit: UnitOfWork) -> None:
        for number in range(1200):
            unit.save(Script(id=f"S/{number:04}"))

    await part.store.transact(work, caller=CALLER)
    await receiver.until(lambda: len(receiver.names()) == 1200)
    assert [len(each.names) for each in receiver.arrived] == [1200]


async def test_another_replica_goes_on_where_one_has_ended(
    store: Store, receiver: Receiver
) -> None:
    async with part_of(store, name="two") as two:
        async with part_of(store, name="one") as one:
            await one.declare(receiver.url, kinds=(Kind.VARIABLE,))
            await write(store, "A")
            await receiver.until(lambda: len(receiver.names()) == 1)
        await write(store, "B")
        await receiver.until(lambda: len(receiver.names()) == 2)
        course = (await two.status()).course
        assert course is not None
        assert receiver.names() == ["variables/A", "variables/B"]
