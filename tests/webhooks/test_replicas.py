"""Webhooks of replicas that are processes of their own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from mds.v1.kind_pb2 import KIND_VARIABLE
from mds.v1.variable_pb2 import Variable
from mds.v1.webhook_pb2 import (
    CreateWebhookRequest,
    ListWebhookStatusesRequest,
    SetWebhookSecretRequest,
    Webhook,
    WebhookStatus,
)

from control_units.client import Client
from tests.conftest import StartReplica
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webhooks.conftest import SECRET
from tests.webhooks.receiver import Receiver

TAKEN_OVER_WITHIN_S = 30.0
"""One lease, one look, and time for a machine that does much else."""


@pytest.fixture
async def replicas(start_replica: StartReplica, database: str) -> dict[str, Replica]:
    return {
        name: await start_replica(
            database, environment={"MDS_WEBHOOK_TARGETS": "loopback", "MDS_REPLICA": name}
        )
        for name in ("one", "two")
    }


@pytest.fixture
async def client(replicas: dict[str, Replica]) -> AsyncIterator[Client]:
    async with Client([each.address for each in replicas.values()]) as client:
        yield client


async def declare(client: Client, url: str) -> None:
    wanted = Webhook(name="webhooks/hook", url=url, kinds=[KIND_VARIABLE])
    await client.webhooks.CreateWebhook(CreateWebhookRequest(webhook=wanted))
    setting = SetWebhookSecretRequest(name="webhooks/hook", secret=SECRET)
    await client.webhooks.SetWebhookSecret(setting)


async def status(client: Client) -> WebhookStatus:
    told = await client.webhooks.ListWebhookStatuses(ListWebhookStatusesRequest())
    return told.webhook_statuses[0]


async def create(client: Client, number: int) -> str:
    name = f"variables/{number:03}"
    await client.variables.create(Variable(name=name, value="1"))
    return name


async def test_nothing_is_lost_when_the_replica_that_delivers_is_killed(
    replicas: dict[str, Replica], client: Client, receiver: Receiver
) -> None:
    await declare(client, receiver.url)
    written = [await create(client, number) for number in range(10)]
    await receiver.until(lambda: len(receiver.names()) > 5)
    receiver.gate.clear()  # so that one delivery is under way
    written += [await create(client, number) for number in range(10, 15)]
    carrier = (await status(client)).replica
    replicas[carrier].kill()
    receiver.gate.set()
    receiver.answers.extend([(500, {})])
    written += [await create(client, number) for number in range(15, 30)]
    await receiver.until(lambda: len(receiver.names()) == len(written), within=TAKEN_OVER_WITHIN_S)
    assert receiver.names() == written, "in order, and each once for who looks at ids"
    assert all(each.is_signed_with(SECRET) for each in receiver.received[3:])
    by_id = {each.id: each.names for each in receiver.received}
    assert all(each.names == by_id[each.id] for each in receiver.received)
    assert (await status(client)).replica == ({"one", "two"} - {carrier}).pop()


async def test_a_replica_that_ends_leaves_its_webhooks_to_others_at_once(
    replicas: dict[str, Replica], client: Client, receiver: Receiver
) -> None:
    await declare(client, receiver.url)
    first = await create(client, 0)
    await receiver.until(lambda: len(receiver.names()) == 1)
    carrier = (await status(client)).replica
    assert await replicas[carrier].terminate() == 0

    async def is_taken_over() -> bool:
        return (await status(client)).replica not in {"", carrier}

    await until(is_taken_over, within=4.0, what="another replica, before any lease ends")
    second = await create(client, 1)
    await receiver.until(lambda: len(receiver.names()) == 2)
    assert receiver.names() == [first, second]


async def test_secrets_stand_in_no_log_and_no_answer(
    replicas: dict[str, Replica], client: Client, receiver: Receiver
) -> None:
    await declare(client, receiver.url)
    bare = SECRET.removeprefix("whsec_")
    wrong = SetWebhookSecretRequest(name="webhooks/hook", secret=f"whsec_{bare}!")
    with pytest.raises(Exception, match="INVALID_FIELD") as refused:
        await client.webhooks.SetWebhookSecret(wrong)
    assert bare not in str(refused.value)
    seen = [str(await status(client)), str(await client.webhooks.get("hook"))]
    seen += [str(each) async for each in client.export()]
    seen += [await asyncio.to_thread(each.program.output) for each in replicas.values()]
    assert not any(bare in each for each in seen)
