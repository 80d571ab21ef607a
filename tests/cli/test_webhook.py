"""`mds webhook`: added, tried, looked at, stopped, deleted."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.cli.conftest import Ended, Mds, run_mds
from tests.conftest import StartReplica
from tests.stages.waiting import until
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture
async def mds(start_replica: StartReplica, database: str) -> Mds:
    """A replica that may send to this machine."""
    replica = await start_replica(database, environment={"MDS_WEBHOOK_TARGETS": "loopback"})

    async def run(*arguments: str, **pipes: Any) -> Ended:
        return await run_mds(*arguments, environment={"MDS_ADDRESS": replica.address}, **pipes)

    return run


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_a_webhook_from_its_beginning_to_its_end(mds: Mds, receiver: Receiver) -> None:
    added = await mds("webhook", "add", "log", receiver.url, "--kind", "webhook")
    assert added.code == 0, added.err
    secret = added.out.strip()
    assert secret.startswith("whsec_")
    assert added.err.splitlines()[0] == "Its secret, which nobody is told again:"
    pinged = await mds("webhook", "test", "log")
    assert (pinged.code, "DELIVERED" in pinged.out) == (0, True)
    assert receiver.arrived[-1].is_signed_with(secret)
    waits = await mds("webhook", "disable", "log", "--reason", "it moves")
    assert waits.out.startswith("log waits.")
    headers, row = (await mds("webhook", "list")).out.splitlines()
    shown = dict(zip(headers.split("\t"), row.split("\t"), strict=True))
    assert (shown["state"], shown["signed"], shown["url"]) == ("DISABLED", "yes", receiver.url)
    await mds("webhook", "enable", "log")
    await receiver.until(lambda: "webhooks/log" in receiver.names())

    async def told() -> list[dict[str, Any]]:
        listed = await mds("webhook", "deliveries", "log", "-o", "json")
        return [each for each in json.loads(listed.out) if each["type"].endswith("_CHANGES")]

    (first, *_) = await until(told, what="a delivery in the list")
    again = await mds("webhook", "redeliver", "log", first["id"])
    assert (again.code, "redelivery" in again.out) == (0, True)
    count = len(receiver.names())
    back = await mds("webhook", "rewind", "log", "1h")
    assert (back.code, back.out[:26], back.err) == (0, "log goes on after revision", "")
    await receiver.until(lambda: len(receiver.names()) > count)
    assert all(each.is_signed_with(secret) for each in receiver.received), "from the first one on"
    assert (await mds("webhook", "delete", "log")).out == "log is deleted.\n"
    assert (await mds("webhook", "list")).err == "There is no webhook.\n"


async def test_a_webhook_whose_secret_nobody_could_be_told_sends_nothing(
    mds: Mds, receiver: Receiver
) -> None:
    added = await mds(
        "webhook", "add", "log", receiver.url, "--kind", "webhook", stdout="/dev/full"
    )
    assert added.code != 0
    assert "log is added, but sends nothing" in added.err
    assert "mds webhook secret log && mds webhook enable log" in added.err
    assert "\tDISABLED\t" in (await mds("webhook", "list")).out
    given = await mds("webhook", "secret", "log")
    assert (await mds("webhook", "enable", "log")).code == 0
    await receiver.until(lambda: "webhooks/log" in receiver.names())
    assert all(each.is_signed_with(given.out.strip()) for each in receiver.received)


async def test_a_receiver_that_refuses_is_told(mds: Mds, receiver: Receiver) -> None:
    receiver.usual = 503
    await mds("webhook", "add", "log", receiver.url, "--unsigned", "--kind", "policy")
    pinged = await mds("webhook", "test", "log")
    assert (pinged.code, "It answered 503" in pinged.out) == (1, True)
    wrong = await mds("webhook", "secret", "log", "--from-file", "-", stdin=b"too short")
    assert (wrong.code, "INVALID_FIELD" in wrong.err, "too short" in wrong.err) == (1, True, False)
    given = await mds("webhook", "secret", "log")
    assert given.out.startswith("whsec_")
    refused = await mds("webhook", "add", "other", "ftp://logbook.example")
    assert (refused.code, "https://host/path" in refused.err) == (1, True)
    missing = await mds("webhook", "redeliver", "log", "msg_1_1_99")
    assert (missing.code, "DELIVERY_NOT_FOUND" in missing.err) == (1, True)
